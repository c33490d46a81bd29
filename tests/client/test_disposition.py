"""Names of downloaded files: whatever a server writes, what comes out is the last part of a path, or nothing."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from tests.helpers.both_clients import both, serving
from tests.helpers.raw_http import Connection
from tests.helpers.rows import check_rows
from wechat_msg.api import media
from wechat_msg.client.disposition import read_filename

NAMES = {
    b'attachment; filename="a.jpg"': "a.jpg",
    b"attachment; filename=a.jpg": "a.jpg",
    b"attachment;filename=a b.jpg ;x=y": "a b.jpg",
    b"filename=a.jpg": "a.jpg",
    b'inline; FILENAME = "a.jpg"': "a.jpg",
    b'attachment; name="x; filename=evil.exe"; filename="a.jpg"': "a.jpg",
    b'attachment; xfilename="b.jpg"; filename="a.jpg"': "a.jpg",
    b'attachment; filename="a;b.jpg"': "a;b.jpg",
    rb'attachment; filename="say \"hi\".jpg"': 'say "hi".jpg',
    rb'attachment; filename="a\\b.jpg"': "b.jpg",
    rb'attachment; filename="C:\pictures\new.jpg"': "new.jpg",
    b'attachment; filename="a.jpg': "a.jpg",
    'attachment; filename="你好.jpg"'.encode(): "你好.jpg",
    'attachment; filename="充值.jpg"'.encode(): "充值.jpg",  # has a byte that some take for the end of a line
    b'attachment; filename="caf\xe9.jpg"': "café.jpg",
    b"attachment; filename=\"a.jpg\"; filename*=UTF-8''%E4%BD%A0%E5%A5%BD.jpg": "你好.jpg",
    b"attachment; filename*=utf-8'zh-CN'%e4%bd%a0.jpg; filename=a.jpg": "你.jpg",
    b"attachment; FileName*=\"UTF-8''%E4%BD%A0.jpg\"": "你.jpg",
    b"attachment; filename*=ISO-8859-1''caf%E9.jpg": "café.jpg",
    b"attachment; filename*=UTF-8''100%.jpg": "100%.jpg",
    b"attachment; filename*=UTF-8''%zz%e4%bd%a0%4": "%zz你%4",
    b"attachment; filename*=UTF-8''%ff.jpg": "\ufffd.jpg",
    b"attachment; filename*=GBK''%c4%e3.jpg; filename=a.jpg": "a.jpg",
    b"attachment; filename*=a.jpg; filename=b.jpg": "b.jpg",
    b"attachment; filename*=UTF-8''..%2f; filename=b.jpg": "b.jpg",
    b"attachment; filename*=UTF-8''..%2F..%5Cetc%2Fpasswd": "passwd",
    b"attachment; filename*=UTF-8''a%00b%0d%0ac%C2%85%E2%80%AEgpj.exe": "abcgpj.exe",
    b'attachment; filename="../../etc/passwd"': "passwd",
    b'attachment; filename="/etc/"': None,
    b'attachment; filename=".."': None,
    b'attachment; filename=""': None,
    b"attachment; filename=": None,
    b"attachment": None,
    b"": None,
    b'attachment; filename="' + b"x" * 1000 + b'.jpg"': "x" * 251 + ".jpg",
}


@both
def test_is_the_same_in_both_clients(make):
    header = b""

    def give(connection: Connection) -> None:
        while True:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nX-Odd: \xff\r\nContent-Length: 4\r\nContent-Type: image/png\r\n")
            connection.send(b"Content-Disposition: " + header + b"\r\n\r\n\x89PNG")

    with serving(make, give) as (_, client):

        def check(given, name):
            nonlocal header
            header = given
            file = client.call(media.download("M"))

            assert file.filename == name
            assert file.headers["x-odd"] == "ÿ"

        check_rows(NAMES.items(), check)


@given(st.text(max_size=300) | st.text("filename*=\";'\\/%.utf-8 a\0", max_size=60).map(lambda text: "filename" + text))
@example('filename="\x85"')
def test_is_never_more_than_the_last_part_of_a_path(header):
    name = read_filename(header)

    assert name is None or (0 < len(name) <= 255 and name not in (".", ".."))
    assert not re.search(r"[/\\\x00-\x1f\x7f-\x9f]", name or "")
