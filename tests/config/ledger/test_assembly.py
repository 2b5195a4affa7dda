"""What a script carries: its own text, what it names of the shared files, and nothing else."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from certmail_config.ledger.assembly import assemble, definitions
from certmail_config.ledger.script import SHARED, load, lua_files

FIRST = """\
-- What all need.
local function text(number) return string.format('%.0f', number) end

-- Two at once.
local DAY, SLOT = 86400000,
  300000

local function never_named() return DAY end
"""
SECOND = """\
-- Uses the first file.
local function day_of(at) -- whole days
  return text(at / DAY)
end

local function write(id, at) redis.call('SET', K.job .. id, day_of(at)) end
"""
KEYS = {"job": "t:job:"}
SCRIPTS = sorted(lua_files().keys() - set(SHARED))


def assembled(script: str) -> list[str]:
    return assemble(script, [FIRST, SECOND], KEYS).splitlines()


def test_it_carries_what_it_names_and_what_that_names_in_turn() -> None:
    assert assembled("return day_of(1)\n") == [
        "local call = redis.call",
        "local function text(number) return string.format('%.0f', number) end",
        "local DAY, SLOT = 86400000,",
        "  300000",
        "local function day_of(at)",
        "  return text(at / DAY)",
        "end",
        "return day_of(1)",
    ]


@pytest.mark.parametrize(
    "script", ["return 'day_of'\n", "return 1 -- day_of\n", "return {a.day_of}\n"]
)
def test_a_word_in_a_text_a_comment_or_a_field_names_nothing(script: str) -> None:
    assert len(assembled(script)) == 2


def test_keys_stand_in_the_text_itself() -> None:
    assert assembled("return redis.call('GET', K.job .. 'x')\n") == [
        "local call = redis.call",
        "return call('GET', 't:job:' .. 'x')",
    ]


def test_a_key_without_a_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        assembled("return K.jobs\n")


def test_what_only_a_rare_block_needs_is_built_there() -> None:
    script = """\
local at = 7
if at > DAY then
  -- rarely
  write('x', at)
  if at > 1 then
    return 2
  end
end
return 1
"""
    lines = assembled(script)
    assert lines[:5] == [
        "local call = redis.call",
        "local DAY, SLOT = 86400000,",
        "  300000",
        "local at = 7",
        "if at > DAY then",
    ]
    assert "local function write(id, at) call('SET', 't:job:' .. id, day_of(at)) end" in lines[5:]
    assert lines[-6:] == [
        "  write('x', at)",
        "  if at > 1 then",
        "    return 2",
        "  end",
        "end",
        "return 1",
    ]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_lua_and_names_nothing_that_is_not_there(redis: Redis, name: str) -> None:
    source = load(name).source
    assert redis.script_load(source) == load(name).sha
    assert "K." not in re.sub(r"'[^']*'", "", source)

    every = {each for part in SHARED for each in _defined(part)}
    code = re.sub(r"'[^'\n]*'", "''", source)
    for each in every & set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", code)):
        first = re.search(rf"(?<![.\w]){each}\b", code)
        assert first
        start = code.rfind("\n", 0, first.start()) + 1
        assert code[start:].lstrip().startswith("local "), f"{each} is used before it is there"


def _defined(part: str) -> set[str]:
    return {
        name
        for definition in definitions(lua_files()[part].read_text("utf-8"))
        for name in definition.names
    }
