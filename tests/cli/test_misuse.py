"""Errors for invalid command lines: one line in either language."""

from __future__ import annotations

from tests.helpers.commands import CHINESE, HI, URL, ask, find_english
from tests.helpers.rows import check_rows

#: The command line of each mistake, and the error in English and in Chinese.
MISTAKES = {
    "command": (["frobnicate"], "no such command: frobnicate (wechat-msg --help)", "没有这个命令：frobnicate"),
    "command, nearly": (["psuh", URL], "no such command: psuh; did you mean push?", "是不是 push？"),
    "command in capitals": (["Push", URL], "did you mean push?", "是不是 push？"),
    "option": (["--frob"], "no such option: --frob (wechat-msg --help)", "没有这个选项：--frob"),
    "option, nearly": ([*HI, "--txt", "hi"], "did you mean --text? (wechat-msg push --help)", "是不是 --text？"),
    "option in front": (["--token", "x", *HI], "write --token after the command", "--token 应写在命令之后"),
    "option without value": ([*HI, "--openid"], "--openid needs a value (wechat-msg push --help)", "缺少值"),
    "option for a value": ([*HI, "--openid", "--json"], "write --openid=--json", "请写成 --openid=--json"),
    "option with a value of nothing": ([*HI, "--openid="], "--openid is empty", "选项 --openid 的值为空"),
    "option twice": ([*HI, "--text", "ho"], "--text is given twice", "选项 --text 重复"),
    "flag with a value": ([*HI, "--json=yes"], "--json takes no value", "它不接受取值"),
    "token of nothing": ([*HI, "--token", ""], "--token is empty", "选项 --token 的值为空"),
    "host of nothing": (["serve", "--host", ""], "--host is empty", "选项 --host 的值为空"),
    "api of nothing": (["serve", "--api", ""], "--api is empty", "选项 --api 的值为空"),
    "language": (["new-settings", "--lang=fr"], "--lang must be one of en, zh", "可选：en、zh"),
    "argument missing": (["check"], "URL is missing: your server's address, such as http://127.0.0.1:8000", "缺少 URL"),
    "argument too many": ([*HI, "there"], "1 argument too many; a value with spaces needs quotes", "请加引号"),
    "arguments too many": (["menu", "show", "a", "b"], "2 arguments too many; this command", "多了 2 个参数（该命令"),
    "argument to options only": (["decrypt", "body.xml"], "this command takes options only", "该命令只接受选项"),
    "choice": (
        [*HI, "--mode", "open"],
        "--mode must be one of plain, compatible, sealed",
        "可选：plain、compatible、sealed",
    ),
    "number": ([*HI, "--port", "1"], "no such option: --port", "没有这个选项：--port"),
    "number too large": (
        ["serve", "--port", "70000"],
        "--port must be a whole number from 0 to 65535",
        "0 到 65535 的整数",
    ),
    "no number": ([*HI[:-1], "x"], "--tries must be a whole number from 1 to 10", "应为 1 到 10 的整数"),
    "nothing to push": (
        ["push", URL],
        "give one of: --text, --image, --event, --file",
        "请给出其中之一：--text、--image",
    ),
    "two to push": ([*HI, "--event", "CLICK"], "--text, --event exclude each other", "--text、--event 不能同时使用"),
    "field by two": ([*HI, "--field", "Content=a"], "--field Content: already set by --text", "已由 --text 给出"),
    "type by two": (
        [*HI, "--field", "MsgType=a"],
        "--field MsgType: already set by",
        "已由 --text、--image 或 --event 给出",
    ),
    "user by two": (
        [*HI, "--openid", "o", "--field", "FromUserName=a"],
        "--field FromUserName: already set by --openid",
        "已由 --openid 给出",
    ),
    "field twice": ([*HI, "--field", "A=1", "--field", "A=2"], "--field A: already set by", "已由 --field 给出"),
    "field without value": ([*HI, "--field", "A"], "--field must be NAME=VALUE", "--field 的格式为 名称=值"),
    "field name": ([*HI, "--field", "a b=c"], "a field name is not an XML name", "字段名只能"),
    "mode without key": (
        [*HI, "--aes-key", "", "--mode", "sealed"],
        "--mode sealed needs the key: give --aes-key and --appid, or set WECHAT_ENCODING_AES_KEY and WECHAT_APPID",
        "--mode sealed 需要密钥：请给出 --aes-key 与 --appid",
    ),
    "token": ([*HI, "--token", "my token"], "--token: must be 3 to 32 letters and digits", "--token：Token 必须为"),
    "key": ([*HI, "--aes-key", "short"], "--aes-key: must be 43 letters and digits", "--aes-key：EncodingAESKey 应为"),
    "appid": ([*HI, "--appid", "wx 1"], "--appid: ", "--appid："),
    "appid missing": ([*HI, "--appid", ""], "WECHAT_ENCODING_AES_KEY needs the AppID: give --appid", "需要 AppID"),
    "account kind": (
        [*HI, "--account-kind", "x"],
        "--account-kind: must be official_account or",
        "--account-kind：应为",
    ),
    "address without scheme": (
        ["check", "localhost:8000/wechat"],
        "URL: must begin with http:// or https://; did you mean http://localhost:8000/wechat?",
        "是不是 http://localhost:8000/wechat？",
    ),
    "address with a query": (
        ["check", "localhost:8000/wechat?token=hunter"],
        "did you mean http://localhost:8000/wechat?",
        "是不是 http://localhost:8000/wechat？",
    ),
    "path for an address": (["push", "/wechat", *HI[2:]], "as in http://127.0.0.1:8000/wechat", "例如 http://"),
    "scheme": (
        ["playground", "ftp://bot.example/"],
        "URL: must begin with http:// or https://",
        "http:// 或 https:// 开头",
    ),
    "scheme with one slash": (
        ["check", "http:/bot.example"],
        "URL: must begin with http://",
        "http:// 或 https:// 开头",
    ),
    "address of nothing": (["check", ""], "URL: must begin with http://", "http:// 或 https:// 开头"),
    "port of an address": (["check", "http://bot.example:99999/"], "URL: the port must be a number from 1", "端口"),
    "blank in an address": (["check", "http://bot.example/a b"], "%20", "%20"),
    "address of the api": (
        ["serve", "--api", "localhost:8765"],
        "did you mean http://localhost:8765?",
        "--api：网址须以",
    ),
    "file": (["push", URL, "--file", "nowhere"], "cannot read nowhere: No such file or directory", "文件不存在"),
    "folder": (["decrypt", "--body", "."], "cannot read .: Is a directory", "是目录，不是文件"),
    "file of something else": (
        ["push", URL, "--file", "Makefile"],
        "Makefile: the body is neither XML",
        "不是可以推送的",
    ),
    "host": (["serve", "--host", "a..b"], "cannot listen on a..b:8000", "无法监听 a..b:8000"),
    "host of the playground": (["playground", "--host", "a..b"], "cannot listen on a..b:8765", "无法监听 a..b:8765"),
    "application": (["dev", "app.py endpoint"], "must be MODULE:APP, as in app:endpoint", "格式为 MODULE:APP，例如"),
    "function": (["call", "user.info_get"], "did you mean user.get_info?", "没有这个函数：user.info_get，是不是"),
    "value of a parameter": (["call", "user.delete_tag", "id=x"], "id must be a number", "id 应为数字"),
    "file for an upload": (["call", "media.upload", "image", "file=x"], "file must be @FILE", "file 应为@文件"),
    "subcommand": (["menu", "pusch"], "no such command: pusch; did you mean push?", "没有这个命令：pusch，是不是"),
    "menu missing": (
        ["menu", "push", "--api", "menu.json"],
        "FILE is missing: a JSON file with the menu",
        "缺少 FILE：",
    ),
    "menu": (["menu", "push", "Makefile"], "Makefile:1:1: not JSON: ", "Makefile:1:1：不是有效的"),
    "AppSecret": (["token"], "environment variables missing: WECHAT_SECRET", "缺少环境变量：WECHAT_SECRET"),
    "token server": (["token", "--token-server", "https://t.example"], "set WECHAT_TOKEN_SERVER_SECRET", "请设置"),
    "query": (["decrypt", "--query", "&"], "--query contains no parameters", "--query 中没有参数"),
}


class TestMisuse:
    def test_shows_no_word_that_may_be_a_secret(self):
        def check(words):
            assert "hunter2" not in ask(*words).output

        check_rows(
            [
                [*HI, "hunter2"],
                ["token", "hunter2"],
                ["token", "--secret=hunter2"],
                ["token", "--secret", "hunter2"],
                ["call", "user.list_tags", "hunter2"],
                ["call", "user.list_tags", "secret=hunter2"],
                ["check", "localhost:8000/wechat?token=hunter2"],
                ["check", "http://127.0.0.1/ ?token=hunter2"],
                [*HI, "--token", "hunter2!"],
                [*HI, "--aes-key", "hunter2"],
                ["--token", "hunter2", *HI],
                ["dev", "app:app", "hunter2"],
            ],
            check,
        )

    def test_is_named_in_one_line_of_english(self):
        def check(words, english, _):
            result = ask(*words)

            assert result.exit_code == 2
            assert result.stdout == ""
            assert result.stderr.startswith("wechat-msg: ")
            assert result.stderr.count("\n") == 1
            assert english in result.stderr
            assert not CHINESE.search(result.stderr)

        check_rows(MISTAKES, check)

    def test_is_named_in_one_line_of_chinese_without_any_english(self):
        def check(words, _, chinese):
            result = ask("--lang", "zh", *words)

            assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
            assert chinese in result.stderr
            assert find_english(result.stderr, words) == set()

        check_rows(MISTAKES, check)

    def test_is_not_reported_for_values_that_look_like_it(self, bot):
        for words in (["--text=--event"], ["--text", ""], ["--text", "-"], ["-v", "-v", "--text", "hi"]):
            assert ask("push", bot, *words, "--tries", "1").exit_code in (0, 1)

    def test_refuses_invalid_options_and_sends_nothing(self):
        def check(words):
            result = ask(*words)

            assert result.exit_code == 2
            assert result.stderr.startswith("wechat-msg: ")
            assert result.stderr.count("\n") == 1

        check_rows(
            [
                ["push", "ftp://127.0.0.1/", "--text", "hi"],
                ["push", "127.0.0.1:8000", "--text", "hi"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--event", "CLICK"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--field", "Content"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--field", "a b=c"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--tries", "0"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--aes-key", "short"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--token", "!"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--account-kind", "circus"],
                ["check", "http:///"],
                ["decrypt", "--query", "", "--body", "nowhere"],
                ["decrypt", "--body", "nowhere"],
                ["serve", "--port", "70000"],
                ["serve", "--host", "\udcff"],
                ["serve", "--host", "a..b"],
                ["playground", "ftp://127.0.0.1/"],
            ],
            check,
        )
