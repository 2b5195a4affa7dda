"""The mailbox page: everything that mail brings along is escaped or kept in a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.conftest import Google

HTML = "<p>Hello <script>alert(1)</script></p>"


async def test_an_empty_mailbox_says_so(google: Google) -> None:
    assert "No mail yet" in (await google.ask("GET", "/mail")).body


async def test_mail_is_shown_newest_first_by_mailbox_and_recipient(google: Google) -> None:
    one, two = await google.token("one@acme.example"), await google.token("two@acme.example")
    await google.send(
        one, google.mail(to="ada@acme.example").replace(b"Access review due", b"First")
    )
    await google.send(
        two, google.mail(to="bob@acme.example").replace(b"Access review due", b"Second")
    )
    page = (await google.ask("GET", "/mail")).body
    assert page.index("Second") < page.index("First")

    for query, shown, hidden in (
        ("mailbox=one@acme.example", "First", "Second"),
        ("to=bob@acme.example", "Second", "First"),
        ("q=first ADA", "First", "Second"),
    ):
        page = (await google.ask("GET", f"/mail?{query}")).body
        assert shown in page
        assert hidden not in page

    assert "Nothing fits" in (await google.ask("GET", "/mail?q=nowhere")).body


async def test_long_lists_come_in_pages(google: Google) -> None:
    token = await google.token()
    for number in range(51):
        await google.send(
            token, google.mail().replace(b"Access review due", b"Number %02d!" % number)
        )
    first, second = [(await google.ask("GET", f"/mail?page={page}")).body for page in (1, 2)]

    assert "Number 50!" in first
    assert "Number 00!" not in first
    assert "Number 00!" in second


async def test_what_mail_brings_along_is_escaped(google: Google) -> None:
    token = await google.token()
    mail = google.mail(to='"<b>Ada" <ada@acme.example>').replace(
        b"Access review due", b"<script>alert(1)</script>"
    )
    sent = await google.send(token, mail)
    for path in ("/mail", f"/mail/{sent.body['id']}", "/mail?q=<script>&mailbox=<script>"):
        answer = await google.ask("GET", path)
        assert "<script>alert" not in answer.body
        assert 'value="<script>' not in answer.body
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_letter_shows_its_html_in_a_sandboxed_frame_and_its_text_beside(
    google: Google,
) -> None:
    token = await google.token()
    parts = f"--b\r\n\r\nHello <you>\r\n--b\r\nContent-Type: text/html\r\n\r\n{HTML}\r\n--b--\r\n"
    headers = (
        "MIME-Version: 1.0",
        "X-Certmail-Id: job-1",
        "Content-Type: multipart/alternative; boundary=b",
    )
    path = f"/mail/{(await google.send(token, google.mail(*headers, body=parts))).body['id']}"
    page = (await google.ask("GET", path)).body

    assert f'<iframe src="{path}/html" sandbox=' in page
    assert "allow-scripts" not in page
    assert "Hello &lt;you&gt;" in page
    assert "job-1" in page
    assert "Message-ID" in page

    frame = await google.ask("GET", f"{path}/html")
    assert HTML in frame.body

    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy

    source = await google.ask("GET", f"{path}/raw")
    assert source.headers["Content-Type"] == "message/rfc822"


async def test_what_is_attached_is_named_and_can_be_saved(google: Google) -> None:
    token = await google.token()
    parts = (
        "--b\r\n\r\nHello\r\n--b\r\nContent-Type: text/html\r\n"
        'Content-Disposition: attachment; filename="<b>.html"\r\n\r\n<script>1</script>\r\n--b--\r\n'
    )
    headers = ("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b")
    path = f"/mail/{(await google.send(token, google.mail(*headers, body=parts))).body['id']}"
    page = (await google.ask("GET", path)).body
    assert f'<a href="{path}/files/0" download="&lt;b&gt;.html">&lt;b&gt;.html</a>' in page

    file = await google.ask("GET", f"{path}/files/0")
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"] == "attachment"
    assert (await google.ask("GET", f"{path}/files/1")).status == 404
    assert (await google.ask("GET", f"{path}/files/x")).status == 404


async def test_odd_mail_breaks_no_page(google: Google) -> None:
    token = await google.token()

    for mail in (
        b"To: ada@acme.example\r\n\r\n\xff\xfe\x00",
        b"To: ada@acme.example\r\nContent-Type: text/html; charset=klingon\r\n\r\n<p>x",
        b"To: ada@acme.example\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"To: ada@acme.example\r\nSubject: =?utf-8?b?!!!?= \xff =?nope?q?x?=\r\n\r\n",
        b"To: ada@acme.example\r\nContent-Type: image/png\r\n\r\nx",
        b"To: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nX: y\r\n\r\nz\r\n--b--",
    ):
        path = f"/mail/{(await google.send(token, mail)).body['id']}"
        for page in ("/mail", path, f"{path}/html", f"{path}/raw"):
            async with google.http.get(google.url + page) as answer:
                assert answer.status == 200, mail
                await answer.read()


async def test_a_message_that_is_not_there_is_a_404(google: Google) -> None:
    assert (await google.ask("GET", "/mail/0000000000000000")).status == 404
    assert (await google.ask("GET", "/static/secret.py")).status == 404


async def test_the_stylesheet_and_the_script_are_its_own(google: Google) -> None:
    for name, kind in (
        ("style.css", "text/css"),
        ("refresh.js", "text/javascript"),
        ("copy.js", "text/javascript"),
    ):
        answer = await google.ask("GET", f"/static/{name}")
        assert answer.headers["Content-Type"].startswith(kind)
        assert "http" not in answer.body.replace("http-equiv", "")
