"""On wechatpy and FastAPI: `app` with declared parameters, as FastAPI's tutorial has it, `lean` without them."""

from fastapi import FastAPI, HTTPException, Request, Response
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

from .echo_wechatpy import answer

app = FastAPI()
lean = FastAPI()


@app.post("/wechat")
async def wechat(request: Request, signature: str, timestamp: str, nonce: str, msg_signature: str):
    query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "msg_signature": msg_signature}
    return respond(query, await request.body())


@lean.post("/wechat")
async def wechat_lean(request: Request):
    return respond(request.query_params, await request.body())


def respond(query, body):
    try:
        return Response(answer(query, body), media_type="application/xml")
    except (InvalidSignatureException, InvalidAppIdException):
        raise HTTPException(403) from None
