"""Errors of this API as RFC 9457 says, in the form of the guard's own answers."""

import uuid
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_CODES = {404: "not_found", 405: "method_not_allowed"}


class Problem(Exception):
    """What an answer that is an error says."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.more = status, code, detail, more


class _ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def _answer(problem: Problem) -> Response:
    request_id = str(uuid.uuid4())
    body = {
        "type": f"urn:symbolon:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "requestId": request_id,
        **problem.more,
    }
    headers = {"X-Request-Id": request_id, "Cache-Control": "no-store"}
    if problem.status == 503:
        headers["Retry-After"] = "60"
    return _ProblemResponse(body, problem.status, headers)


def install(app: FastAPI) -> None:
    """Answer errors so."""

    @app.exception_handler(Problem)
    async def known(_: Request, problem: Problem) -> Response:
        return _answer(problem)

    @app.exception_handler(HTTPException)
    async def framework(_: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "malformed_request")
        return _answer(Problem(error.status_code, code, f"{HTTPStatus(error.status_code).phrase}."))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return _answer(Problem(400, "malformed_request", "The body cannot be read."))
        errors = [
            {"pointer": "".join(f"/{part}" for part in fault["loc"][1:]), "code": "invalid", "detail": fault["msg"]}
            for fault in faults
        ]
        return _answer(Problem(422, "validation_failed", "The order is not valid.", errors=errors))
