"""The documentation page: the OpenAPI document for people, without a script.

Every problem's type leads here.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from certmail.gateway.api.request.problems import KINDS

STYLE = """
:root { color-scheme: light dark; --ink: #16202c; --paper: #f4f6f8; --card: #fff; --soft: #5a6878; --line: #d8dee5; --good: #0b7a4b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --paper: #10161d; --card: #1a232d; --soft: #9aa8b6; --line: #2c3844; --good: #53d39b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; padding: 1rem; }
main { max-width: 58rem; margin: 0 auto; }
section { background: var(--card); border-radius: 12px; padding: 1rem 1.25rem; margin: 1rem 0; box-shadow: 0 1px 3px #0002; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
code, pre { font: .88em/1.5 ui-monospace, monospace; } pre { overflow-x: auto; padding: .75rem; background: var(--paper); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; display: block; overflow-x: auto; }
td, th { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line); }
nav ul { margin: .25rem 0; padding-left: 1.25rem; columns: 18rem; } nav a { overflow-wrap: anywhere; }
@media (max-width: 40rem) { th { display: none; } tr, td { display: block; padding-right: 0; border: 0; } tr { border-top: 1px solid var(--line); padding: .4rem 0; } td { overflow-wrap: anywhere; padding: .1rem 0; } }
.method { color: var(--good); font-weight: 700; } .soft { color: var(--soft); }
"""
_CODE = re.compile("`([^`]+)`")
_EXAMPLE = """\
curl {base}/v1/reminders \\
  -H "Authorization: Bearer $CERTMAIL_API_KEY" \\
  -H "Idempotency-Key: $(uuidgen)" \\
  --json '{{"tenant": "acme", "to": "anna@acme.example", "campaign": "q4", "pending": 3,
           "due_at": "2026-12-11T17:00:00+01:00", "link": "https://iga.acme.example/reviews/7"}}'"""


def page(document: dict[str, Any]) -> str:
    """The page of a document; everything in it is escaped."""
    base = document["servers"][0]["url"]
    operations = "".join(_tagged(document["paths"], tag["name"]) for tag in document["tags"])
    schemas = "".join(
        _schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())
    )
    problems = "".join(
        f'<tr id="{code}"><td>{kind.status}<td><code>{code}</code><td>{_prose(kind.title)}<td>{_prose(kind.remedy)}'
        for code, kind in KINDS.items()
    )
    events = "".join(_event(kind, each["post"]) for kind, each in document["webhooks"].items())
    about = "".join(
        f"<p>{_prose(part)}</p>" for part in document["info"]["description"].split("\n\n")
    )

    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>certmail API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>certmail API</h1>{about}"
        '<p>The same for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
        f"{_contents(document)}<pre>{escape(_EXAMPLE.format(base=base))}</pre>"
        f'{operations}<h2 id="events">What webhooks tell</h2>{events}'
        f'<h2 id="objects">Objects</h2>{schemas}'
        '<h2 id="problems">Problems</h2><section><table><tr><th>Status<th>Code<th>What is wrong<th>What to do'
        f"{problems}</table></section></main></body></html>"
    )


def _contents(document: dict[str, Any]) -> str:
    """What is on the page, as links."""
    tags = [tag["name"] for tag in document["tags"]]
    listed: dict[str, list[str]] = {tag: [] for tag in tags}

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            link = f'<li><a href="#{escape(operation["operationId"])}">{method.upper()} {escape(path)}</a>'
            listed[operation["tags"][0]].append(link)

    groups = "".join(
        f"<p>{escape(tag)}</p><ul>{''.join(links)}</ul>" for tag, links in listed.items()
    )
    rest = '<p><a href="#events">What webhooks tell</a>, <a href="#objects">Objects</a>, <a href="#problems">Problems</a></p>'
    return f'<nav aria-label="Contents">{groups}{rest}</nav>'


def _prose(text: str) -> str:
    """A sentence with what stands between backticks as code; everything in it is escaped."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _tagged(paths: dict[str, Any], tag: str) -> str:
    """The requests that are about one thing."""
    found = "".join(
        _operation(method, path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    )
    return f"<h2>{escape(tag)}</h2>{found}"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}<td>{_prose(each['description'])}"
        for each in operation.get("parameters", [])
    )
    body = (
        operation.get("requestBody", {})
        .get("content", {})
        .get("application/json", {})
        .get("schema")
    )
    answers = "".join(
        f"<tr><td>{status}<td>{_prose(answer['description'])}<td>{_link(_content(answer))}"
        for status, answer in operation["responses"].items()
    )

    return (
        f'<section id="{escape(operation["operationId"])}"><h3><span class="method">{method.upper()}</span> {escape(path)}</h3>'
        f'<p>{_prose(operation["summary"])}. <span class="soft">{_prose(operation["description"])}</span></p>'
        + (f"<p>Body: {_link(body)}</p>" if body else "")
        + (f"<table>{parameters}</table>" if parameters else "")
        + f"<table>{answers}</table></section>"
    )


def _event(kind: str, operation: dict[str, Any]) -> str:
    """A type of event: what it means, what its data holds, and an example."""
    content = operation["requestBody"]["content"]["application/json"]
    data = content["schema"]["properties"]["data"]["properties"]
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code><td>{_type(each)}<td>{_prose(each.get('description', ''))}"
        for field, each in data.items()
    )
    shown = escape(json.dumps(content["example"], indent=2))
    return (
        f'<section id="{escape(kind)}"><h3>{escape(kind)}</h3><p>{_prose(operation["summary"])}</p>'
        f"<table>{rows}</table><pre>{shown}</pre></section>"
    )


def _content(answer: dict[str, Any]) -> dict[str, Any]:
    [content] = answer["content"].values()
    schema: dict[str, Any] = content["schema"]
    return schema


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in needed else ' <span class=soft>optional</span>'}"
        f"<td>{_type(each)}<td>{_prose(each.get('description', ''))}"
        for field, each in schema.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", []))
    about = _prose(schema.get("description", ""))
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3><p>{about} {values}</p><table>{rows}</table></section>'


def _link(schema: dict[str, Any]) -> str:
    name = escape(schema["$ref"].rpartition("/")[2])
    return f'<a href="#{name}">{name}</a>'


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema)
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(escape(str(value)) for value in schema["enum"])
    kind = escape(str(schema.get("format", schema.get("type", ""))))
    return f"list of {_type(schema['items'])}" if "items" in schema else kind
