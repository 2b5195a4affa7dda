"""Links of every kind, as plain data, with the host that is meant by each.

They are judged by the door, by the mail, and by Chromium.

Nothing here is computed by anything of certmail's, nor by the library that it uses: names in other
scripts are encoded by Python's own punycode, from labels that are written as they are meant.
"""
# ruff: noqa: RUF001, RUF005 - letters that look like others are what much of this is about; lists
# read better added up

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Case:
    """A link, and host and port as a browser is to open them; None: no mail may carry it."""

    kind: str
    link: str
    meant: str | None


def _each(kind: str, *hosts: str) -> list[Case]:
    """Hosts that are meant as they stand."""
    return [Case(kind, f"https://{host}/r/7", host) for host in hosts]


def _as(kind: str, hosts: dict[str, str]) -> list[Case]:
    return [Case(kind, f"https://{host}/r/7", meant) for host, meant in hosts.items()]


def _refused(kind: str, *hosts: str) -> list[Case]:
    return [Case(kind, f"https://{host}/r/7", None) for host in hosts]


def _no_link(kind: str, *links: str) -> list[Case]:
    return [Case(kind, link, None) for link in links]


def _encoded(kind: str, *hosts: str) -> list[Case]:
    """Hosts in the script and the form in which they are meant."""
    return [
        Case(kind, f"https://{host}/r/7", ".".join(_label(label) for label in host.split(".")))
        for host in hosts
    ]


def _label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


_PLAIN = _each(
    "plain",
    "acme.example", "iga.acme.example", "a.b", "x.y.z.example", "intranet", "localhost", "app.localhost", "1.acme.example",
    "123.example", "a1.example", "0.example", "365.acme.co.uk", "a-b.example", "a--b.example", "ab--c.example", "r3---sn-x.example",
    "a-.example", "-a.example", "-.example", "3com.example", "x.1a", "0x7f.example", "1.2.3.4.example", "www.example.com",
    "com", "example.museum", "xn.example", "xn-.example", "iga.acme.internal", "iga.corp", "server01", "1.2.3.-4", "a.b.c.d.e.f.g.h.example",
    "l" * 63 + ".example", ".".join(["l" * 49] * 5),
)  # fmt: skip
_CASE = _as(
    "upper case",
    {
        "ACME.example": "acme.example", "Iga.Acme.Example": "iga.acme.example", "LOCALHOST": "localhost",
        "A_B.Example": "a_b.example", "XN--BCHER-KVA.example": "xn--bcher-kva.example", "SERVER01:8443": "server01:8443",
    },
) + [
    Case("upper case", "HTTPS://acme.example/r/7", "acme.example"), Case("upper case", "Http://acme.example/r/7", "acme.example"),
]  # fmt: skip
_UNDERSCORE = _each(
    "underscore", "a_b.example", "_dmarc.acme.example", "iga_test.acme.example", "_.example", "__a__.example", "a_.b_.c_", "dev_1",
    "x_y-z.example", "iga_test.acme.example:8443", "a_b",
)  # fmt: skip
_DOTS = _each("trailing dot", "acme.example.", "iga.acme.example.", "localhost.", "com.", "a_b.example.") + _as(
    "trailing dot", {"acme.example.:8443": "acme.example.:8443", "bücher.example.": "xn--bcher-kva.example."}
) + _refused(
    "dots", ".", "..", ".acme.example", "acme..example", "a..b", "acme.example..", "...", "a...b", ".acme.example.", "acme。.example",
    "acme．．example", "‥", "a…b", "。acme.example", "acme.example。。",
)  # fmt: skip
_IDEOGRAPHIC_DOTS = _as(
    "ideographic dots",
    {
        "acme。example": "acme.example", "acme．example": "acme.example", "acme｡example": "acme.example",
        "iga。acme．example": "iga.acme.example", "acme.example。": "acme.example.", "漢字。example": _label("漢字") + ".example",
        "1。2。3。4": "1.2.3.4",
    },
)  # fmt: skip
_FULL_WIDTH = _as(
    "full width",
    {
        "ａｃｍｅ.example": "acme.example", "ＡＣＭＥ.example": "acme.example", "acme.ｅｘａｍｐｌｅ": "acme.example",
        "ｉｇａ．ａｃｍｅ．ｅｘａｍｐｌｅ": "iga.acme.example", "１２３.example": "123.example", "１２７.0.0.1": "127.0.0.1",
        "ａ－ｂ.example": "a-b.example", "ａ＿ｂ.example": "a_b.example", "ﾊﾟ.example": _label("パ") + ".example",
        "①.example": "1.example", "㎏.example": "kg.example", "ﬁn.example": "fin.example", "𝐚𝐜𝐦𝐞.example": "acme.example",
        "ⓐcme.example": "acme.example", "ªcme.example": "acme.example", "acme².example": "acme2.example", "ℂ.example": "c.example",
        "㍿.example": _label("株式会社") + ".example", "Ⅷ.example": "viii.example", "x⁰.example": "x0.example",
    },
) + _refused(
    "full width", "acme．example／evil.example", "ａ％６５.example", "acme＠evil.example", "acme.example：8443", "acme＃.example",
    "acme？.example", "℀.example", "a℅b.example", "acme＼evil.example", "［::1］", "acme＾.example", "acme　.example", "⒈.example",
    "acme⁄evil.example", "acme∕evil.example", "acme＜.example", "⑴.example", "acme﹕8443.example", "acme｜evil.example",
)  # fmt: skip
_SCRIPTS = _encoded(
    "other scripts",
    "bücher.example", "müller.example", "straße.example", "fuß.straße.example", "ßß.example", "ß.example", "faß.de", "weiß-blau.example",
    "βόλος.example", "ελλάς.example", "ς.example", "σ.example", "σοφός.example", "пример.example", "президент.рф", "банк.example",
    "україна.example", "ёлка.example", "漢字.example", "中国.example", "例え.テスト", "みんな", "ドメイン名例.example", "東京.example",
    "カタカナ.example", "한국.example", "실례.테스트", "café.example", "naïve.example", "façade.example", "łódź.example", "żółw.example",
    "český.example", "šťastný.example", "søndag.example", "åäö.example", "þór.example", "œuvre.example", "ñandú.example", "ação.example",
    "ŋ.example", "đ.example", "ı.example", "שלום.example", "ישראל.קום", "דוגמה.example", "مثال.example", "موقع.وزارة-الاتصالات.مصر",
    "ایران.example", "پاکستان.example", "भारत.example", "उदाहरण.परीक्षा", "বাংলা.example", "ไทย.example", "உதாரணம்.example",
    "ಕನ್ನಡ.example", "తెలుగు.example", "മലയാളം.example", "ලංකා.example", "ქართული.example", "հայերեն.example", "አማርኛ.example",
    "ខ្មែរ.example", "မြန်မာ.example", "монгол.example", "ᐃᓄᒃᑎᑐᑦ.example", "tiếngviệt.example", "col·lecció.example", "𠮷.example",
    "ḥ.example", "ə.example", "ß-test.example", "xn.ü.example", "ü.ü.ü.example", "日本語.jp", "кириллица.example", "ά.example",
    "中文-test.example", "ア・漢.example", "ü1.example", "1ü.example", "iga.bücher.example", "bücher", "ö.com",
)  # fmt: skip
_MAPPED = _as(
    "other scripts, mapped",
    {
        "BÜCHER.example": _label("bücher") + ".example", "STRASSE.example": "strasse.example", "Straße.example": _label("straße") + ".example",
        "STRAẞE.example": _label("straße") + ".example", "ΒΌΛΟΣ.example": _label("βόλοσ") + ".example", "Σ.example": _label("σ") + ".example",
        "ПРИМЕР.example": _label("пример") + ".example", "bu\u0308cher.example": _label("bücher") + ".example",
        "cafe\u0301.example": _label("café") + ".example", "A\u030a.example": _label("å") + ".example", "\u212b.example": _label("å") + ".example",
        "\u212a.example": "k.example", "\u2126.example": _label("ω") + ".example", "ǅ.example": _label("dž") + ".example", "ſ.example": "s.example",
        "ŀl.example": _label("l·l") + ".example", "İ.example": _label("i\u0307") + ".example", "µ.example": _label("μ") + ".example",
        "ÄÖÜ.example": _label("äöü") + ".example", "ẞ.example": _label("ß") + ".example", "ǳ.example": "dz.example",
        "１ü.example": _label("1ü") + ".example", "bücher.example:8443": _label("bücher") + ".example:8443",
    },
)  # fmt: skip
_JOINERS = _encoded(
    "joiners",
    "نامه\u200cای.example", "می\u200cخواهم.example", "क्\u200dष.example", "क्\u200cष.example", "ශ්\u200dරී.example", "ශ්\u200dරී.ලංකා",
    "خانه\u200cها.example",
) + _refused(
    "joiners", "a\u200db.example", "a\u200cb.example", "\u200dacme.example", "acme\u200d.example", "acme.\u200cexample",
    "bü\u200dcher.example", "م\u200d.example", "acme\u200b.example", "ac\u00adme.example", "\ufeffacme.example", "acme\u2060.example",
    "\u202eacme.example", "acme\u202c.example", "acme\u200e.example", "acme\u061c.example", "acme\u180e.example", "acme\U000e0041.example",
)  # fmt: skip
_ODD_LETTERS = _refused(
    "letters that no host has",
    "☕.example", "i❤.example", "👩\u200d💻.example", "👍🏽.example", "🇨🇭.example", "♥.example", "√.example", "∞.example", "™x☃.example",
    "acme!.example", "acme$.example", "acme&.example", "acme'.example", "acme(x).example", "acme*.example", "*.acme.example", "acme+.example",
    "acme,evil.example", "acme;evil.example", "acme=.example", 'acme".example', "acme`.example", "acme{x}.example", "acme~.example",
    "acme|x.example", "acme^x.example", "acme<x>.example", "acme%.example", "acme%2eevil.example", "%61cme.example", "acme%00.example",
    "acme.example%2f.evil.example", "%E2%98%95.example", "ü_x.example", "\u0301x.example", "a\ue000.example", "a\uffff.example", "a\u0378.example",
    "a\ufffd.example", "a\u00b7b.example", "ab--ü.example", "-ü.example", "ü-.example", "acme\u00a0.example", "acme\u2028.example",
    "acme\u3000.example", "acme\u0000.example", "acme\u007f.example", "acme\u0085.example", "½.example", "acme⸮.example", "₿.example",
    "a\u0660\u06f0.example", "\u05f3a.example", "a・b.example",
)  # fmt: skip
_MIXED = _encoded(
    "mixed scripts", "аcme.example", "аррӏе.example", "acmе.example", "gооgle.example", "раураl.example", "ехаmple.example", "acme.соm",
    "іga.acme.example", "ɑcme.example", "漢a字.example", "αcme.example", "acmeä.example", "a_b.א.example",
) + _refused(
    "mixed directions", "אacme.example", "acmeא.example", "0א.example", "א0a.example", "0a.א.example", "1.א.example", "مثال1a.example",
    "-.א.example", "א-.example", "١a.example",
)  # fmt: skip
_PUNYCODE = _as(
    "punycode",
    {
        host: host for host in (
            "xn--bcher-kva.example", "xn--strae-oqa.example", "xn--p8s937b.example", "iga.xn--bcher-kva.example", "xn--e1afmkfd.xn--p1ai",
            "xn--mgba3gch31f060k.example", "xn--bcher-kva.xn--bcher-kva", "xn--wgv71a119e.jp", "xn--bcher-kva.example:8443", "xn--zca.example",
            "xn--3xa.example", "xn--4xa.example", "xn--bcher-kva.example.",
        )
    },
) + _refused(
    "punycode", "xn--.example", "xn--a.example", "xn--bcher-kv.example", "xn--acme-.example", "xn--acme.example", "xn---.example", "xn----.example",
    "xn--99999999.example", "xn--a-b-c-d.example", "xn--53h.example", "xn--a_b.example", "xn--BCHER-KVA9999999999.example", "xn--0.example",
    "xn--xn--bcher-kva-abc.example", "xn--ls8h.example", "xn--bcher-kva-.example", "ｘｎ－－a.example", "xn--\u00fc.example", "xn--tda-.example",
)  # fmt: skip
_IPV4 = _each("IPv4", "10.1.2.3", "127.0.0.1", "0.0.0.0", "255.255.255.255", "192.0.2.1", "198.51.100.7:8443") + _as(
    "IPv4", {"192.0.2.1.": "192.0.2.1", "１９２.0.2.1": "192.0.2.1", "192。0。2。1": "192.0.2.1", "①.②.③.④": "1.2.3.4"}
) + _refused(
    "IPv4, odd", "0x7f.1", "2130706433", "017700000001", "0x7f000001", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01", "0x7f.0.0.1", "256.0.0.1",
    "1.2.3.4.5", "1.2.3", "1", "0", "4294967295", "4294967296", "1.2.3.256", "acme.1", "acme.0x", "acme.0x1f", "acme.08", "0x", "1.2.3.4..",
    "1..2.3", "1.2.3.4x.5", "９９９.1.1.1", "0X7F.1", "00000000177.0.0.1", "1.2.3.0x4", "1.2.3.4a.0", "acme.example.0", "1.0xg.2",
)  # fmt: skip
_IPV6 = _each("IPv6", "[::1]", "[::]", "[2001:db8::1]", "[2001:db8::1]:8443", "[fe80::1]", "[1:2:3:4:5:6:7:8]", "[2001:db8:0:1:1:1:1:1]", "[ff02::1:2]") + _as(
    "IPv6",
    {
        "[2001:DB8::1]": "[2001:db8::1]", "[2001:0db8:0000:0000:0000:0000:0000:0001]": "[2001:db8::1]", "[::ffff:192.0.2.1]": "[::ffff:c000:201]",
        "[0:0:0:0:0:0:0:0]": "[::]", "[1:0:0:2:0:0:0:3]": "[1:0:0:2::3]", "[1:0:0:2:3:0:0:4]": "[1::2:3:0:0:4]", "[::192.0.2.1]": "[::c000:201]",
        "[1:2:3:4:5:6:7::]": "[1:2:3:4:5:6:7:0]", "[::0001]:08443": "[::1]:8443", "[::1]:": "[::1]", "[64:ff9b::192.0.2.33]": "[64:ff9b::c000:221]",
    },
) + _refused(
    "IPv6, none", "[]", "[::1", "::1", "2001:db8::1", "[::1]x", "[::g]", "[:::]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[::1%25eth0]",
    "[::1%eth0]", "[v1.x]", "[127.0.0.1]", "[acme.example]", "x[::1]", "[::1].example", "[::1]]", "[[::1]]", "[::256.1.1.1]", "[::1.2.3]", "[ ::1]",
)  # fmt: skip
_PORTS = _as(
    "ports",
    {
        "acme.example:8443": "acme.example:8443", "acme.example:443": "acme.example", "acme.example:": "acme.example", "acme.example:0443": "acme.example",
        "acme.example:80": "acme.example:80", "acme.example:65535": "acme.example:65535", "acme.example:008443": "acme.example:8443",
        "10.1.2.3:3000": "10.1.2.3:3000", "localhost:5000": "localhost:5000", "acme.example:2": "acme.example:2", "acme.example:9443": "acme.example:9443",
    },
) + [
    Case("ports", "http://acme.example:80/r/7", "acme.example"), Case("ports", "http://acme.example:443/r/7", "acme.example:443"),
    Case("ports", "http://acme.example:8080/r/7", "acme.example:8080"), Case("ports", "https://acme.example:8443", "acme.example:8443"),
    Case("ports", "https://acme.example:8443?r=7", "acme.example:8443"), Case("ports", "https://acme.example:8443#r7", "acme.example:8443"),
] + _refused(
    "ports", "acme.example:99999", "acme.example:65536", "acme.example:x", "acme.example:80x", "acme.example:-1", "acme.example:+80", "acme.example:8 0",
    "acme.example:٨٠", "acme.example:８０", "acme.example:80:90", ":8443", "acme.example:0", "acme.example:22", "acme.example:25", "acme.example:6667",
    "acme.example:10080", "acme.example:8_0", "acme.example:0x50", "acme.example:1e3", "acme.example:80.", "acme.example:18446744073709551696",
)  # fmt: skip
_USERS = _refused(
    "users", "maria@acme.example", "maria:secret@acme.example", "acme.example@evil.example", "acme.example:443@evil.example", "@acme.example",
    ":@acme.example", "acme.example%2f@evil.example", "a@b@acme.example", "acme.example\\@evil.example", "acme。example@evil.example",
)  # fmt: skip
_TRICKS = _no_link(
    "tricks",
    "https:acme.example/r/7", "https:/acme.example/r/7", "https:///acme.example/r/7", "https:////acme.example", "//acme.example/r/7", "acme.example/r/7",
    "https:\\\\acme.example/r/7", "https:/\\acme.example", "https://\\acme.example", "https://acme.example\\r\\7", "https://acme.example\\.evil.example/",
    "https://acme.example/a\\b", "https://ac\tme.example/", "https://ac\nme.example/", "https://acme.example/r\n/7", "ht\ntps://acme.example/",
    "https://acme.example/r 7", "https:// acme.example/", "https://acme .example/", "javascript://acme.example/%0aalert(1)", "javascript:alert(1)",
    "data:text/html,x", "ftp://acme.example/", "file://acme.example/etc", "ws://acme.example/", "httpx://acme.example/", "http//acme.example",
    "http:://acme.example", "httpſ://acme.example/", "ｈｔｔｐｓ://acme.example/", "https：//acme.example/", "https:／／acme.example/", "blob:https://acme.example/",
    "view-source:https://acme.example/", "https://", "https://?x", "https://#x", "https:///", "https", "", "   ", "\u0000https://acme.example/",
    "https://acme.example/\u202e7/r", "https://acme.example/\u0007", "https://acme.example/\ud800", "mailto:maria@acme.example",
)  # fmt: skip
_LONG = _refused(
    "long", "l" * 64 + ".example", "ü" * 60 + ".example", ".".join(["l" * 50] * 6), "漢字" * 40 + ".example", ".".join(["ü" * 10] * 30), "a." * 200 + "example",
    "l" * 1500,
) + [
    Case("long", "https://acme.example/" + "r" * 1900, "acme.example"), Case("long", "https://acme.example/" + "ü" * 600, "acme.example"),
    Case("long", "https://" + "ü" * 50 + ".example/", _label("ü" * 50) + ".example"),
]  # fmt: skip
_BEHIND = [
    Case("behind the host", f"https://acme.example{behind}", "acme.example")
    for behind in (
        "", "/", "?", "#", "?r=7", "#r7", "/r/7?a=b&c=%20#top", "/ü/é?q=ß", '/"><script>', "/'x'", "/a/../b", "/%2e%2e/b", "/@evil.example", "?@evil.example",
        "/https://evil.example", "//evil.example/r", "/a:b@c", "?next=https://evil.example/", "?user=ACME\\maria", "#a\\b", "/a;b=c,d", "/{x}|^`",
        "/r/[7]", "/%", "/%zz", "/100%", "/~maria/", "/r/7:8443", "/漢字", "/نامه\u200cای", "/👍", "?q=a+b", "/*", "/$&+,;=",
    )
]  # fmt: skip
_ALONE = [
    Case("without https", f"http://{host}/r/7", meant)
    for host, meant in {
        "acme.example": "acme.example", "straße.example": _label("straße") + ".example", "a_b.example": "a_b.example", "[::1]:8080": "[::1]:8080",
        "acme.example.": "acme.example.", "10.1.2.3": "10.1.2.3", "intranet": "intranet",
    }.items()
]  # fmt: skip

CASES: Final = (
    *_PLAIN, *_CASE, *_UNDERSCORE, *_DOTS, *_IDEOGRAPHIC_DOTS, *_FULL_WIDTH, *_SCRIPTS, *_MAPPED, *_JOINERS, *_ODD_LETTERS, *_MIXED, *_PUNYCODE,
    *_IPV4, *_IPV6, *_PORTS, *_USERS, *_TRICKS, *_LONG, *_BEHIND, *_ALONE,
)  # fmt: skip
