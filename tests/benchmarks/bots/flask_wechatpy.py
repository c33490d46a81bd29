"""On wechatpy and Flask, with the steps of that project's echo example."""

from flask import Flask, abort, request
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

from .echo_wechatpy import answer

app = Flask(__name__)


@app.route("/wechat", methods=["GET", "POST"])
def wechat():
    try:
        return answer(request.args, request.data)
    except (InvalidSignatureException, InvalidAppIdException):
        abort(403)
