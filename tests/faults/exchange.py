"""Give the answer that a plan describes, and misbehave as it says."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, replace
from typing import NoReturn

from tests.faults.connection import Connection
from tests.faults.plan import REFUSALS, Plan
from tests.faults.schema import smallest
from tests.faults.wire import Call, Record, Refusal, Wire, encoded

_DRIP_S = 0.02
_JSON = "application/json"
_SILENT = ("stall", "reset", "close", "refuse")
_BREAKS = (*_SILENT, "cut", "drip", "html")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call, the connection that it came on, and what is planned for it."""

    line: Connection
    wire: Wire
    call: Call
    plan: Plan

    def answer(self) -> None:
        """Answer the call. Raises Gone where that ends the connection."""
        plan, is_early = self.plan, self.plan.at == "before"
        problem = self.wire.problem(self.call)
        if problem is not None:
            refusal = self.wire.refusal("bad_request", self.call, plan)
            self._refuse(_worded(refusal, problem))
            return
        load_s = plan.load_s if self.call.api == "ollama" else 0.0
        self.line.wait(plan.first_delay_s + load_s)
        if is_early and plan.fault in _SILENT:
            self._break()
        if is_early and plan.fault == "html":
            self._send(self._page(), content_type="text/html; charset=UTF-8")
            return
        fault = "server_error" if plan.fault == "error_event" else plan.fault
        refusal = self.wire.refusal(fault, self.call, plan) if fault in REFUSALS else None
        if refusal is not None and is_early and plan.fault != "error_event":
            self._refuse(refusal)
            return
        shaped = replace(self, plan=self._shaped())
        if self.call.stream:
            shaped.stream(refusal)
        else:
            shaped.whole(refusal)

    def _shaped(self) -> Plan:
        """Return the plan with the answer that the request and the fault make of it."""
        if self.plan.fault == "empty":
            return self.plan.emptied()
        schema = self.wire.asked_schema(self.call)
        document = None if schema is None else json.dumps(smallest(schema), ensure_ascii=False)
        shaped = self.plan.resolved(document)
        if shaped.fault == "refused_content":
            kept = shaped.halved() if shaped.at == "middle" else shaped.emptied()
            return replace(kept, finish="content_filter")
        return shaped.spoilt() if shaped.fault == "bad_utf8" else shaped

    def stream(self, refusal: Refusal | None) -> None:
        """Send the records up to the fault, and then do what the fault says."""
        plan, breaks = self.plan, refusal is not None or self.plan.fault in _BREAKS
        records = self.wire.records(self.call, plan)
        place = _place(records, plan)
        if plan.fault == "no_finish":
            records = [record for record in records if record.kind != "finish"]
        if plan.fault == "garble":
            *kept, last = records[place].lines
            records[place] = replace(records[place], lines=(*kept, last[:-9]))
        noise = b"".join(self._bytes(one) for one in self.wire.NOISE)
        self.line.begin(plan, 200, self._headers(self.wire.CONTENT_TYPE))
        for number, record in enumerate(records[:place] if breaks else records):
            if number and record.kind in ("thinking", "content"):
                self.line.wait(plan.token_delay_s)
            self.line.send(self._bytes(record))
            if plan.comments:
                self.line.send(noise)
        if refusal is not None:
            self.line.send(b"".join(map(self._bytes, self.wire.error_record(refusal))))
        elif breaks:
            self._break(noise)
        self.line.end()

    def whole(self, refusal: Refusal | None) -> None:
        """Send the document that is not streamed, or half of it and what the fault says."""
        plan = self.plan
        document = self.wire.whole(self.call, plan) if refusal is None else refusal.document
        body = encoded(self.wire.written(document))
        if plan.fault == "garble":
            body = body.rstrip()[:-1] + b",]"
        if plan.fault not in _BREAKS:
            self._send(body)
            return
        is_chunked = plan.fault not in _SILENT or plan.gzip
        self.line.begin(plan, 200, self._headers(_JSON), None if is_chunked else len(body))
        if plan.at == "middle":
            self.line.send(body[: len(body) // 2])
        self._break(b"\n")
        self.line.end()

    def _break(self, noise: bytes = b"") -> None:
        """Do to the connection what the fault says; a cut is nothing but the end of the body."""
        match self.plan.fault:
            case "stall":
                self.line.stall()
            case "reset":
                self.line.reset()
            case "close" | "refuse":
                self.line.close()
            case "html":
                self.line.send(self._page())
            case "drip":
                self._drip(noise)

    def _drip(self, noise: bytes) -> NoReturn:
        while True:
            self.line.send(noise)
            self.line.flush()
            self.line.wait(self.plan.token_delay_s or _DRIP_S)

    def _refuse(self, refusal: Refusal) -> None:
        body = self.wire.written(refusal.document).encode()
        headers = {**self._headers(_JSON), **refusal.headers}
        self._send_with(refusal.status, headers, body)

    def _send(self, body: bytes, content_type: str = _JSON) -> None:
        self._send_with(200, self._headers(content_type), body)

    def _send_with(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send a whole body with its length, or in chunks where the plan cuts or compresses it."""
        is_chunked = self.plan.gzip or self.plan.chunking == "bytes"
        self.line.begin(self.plan, status, headers, None if is_chunked else len(body))
        self.line.send(body)
        self.line.end()

    def _headers(self, content_type: str) -> dict[str, str]:
        """Return the headers of every answer; each provider names its own request id."""
        names = {"openai": "x-request-id", "anthropic": "request-id"}
        headers = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "content-type": content_type}
        if self.call.api in names:
            headers[names[self.call.api]] = f"req_{self.call.number:024d}"
        return {**headers, **self.wire.HEADERS}

    def _bytes(self, record: Record) -> bytes:
        newline = self.plan.newline or self.wire.NEWLINE
        return encoded(newline.join(record.lines) + newline * self.wire.RECORD_END)

    def _page(self) -> bytes:
        message = self.call.told("The server is down for maintenance.", self.plan)
        return (
            "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n"
            f"<h1>Bad Gateway</h1>\n<p>{html.escape(message)}</p>\n</body>\n</html>\n"
        ).encode()


def _place(records: list[Record], plan: Plan) -> int:
    """Return the index of the record at which the fault comes."""
    said = [index for index, one in enumerate(records) if one.kind in ("thinking", "content")]
    if plan.at == "before" or not said:
        return said[0] if said else len([one for one in records if one.kind != "finish"])
    spoken = [index for index in said if records[index].kind == "content"] or said
    half = (len(spoken) + 1) // 2
    return spoken[half] if half < len(spoken) else spoken[-1] + 1


def _worded(refusal: Refusal | None, message: str) -> Refusal:
    """Return a refusal with a message of its own."""
    assert refusal is not None
    error = refusal.document["error"]
    worded = {**error, "message": message} if isinstance(error, dict) else message
    return replace(refusal, document={**refusal.document, "error": worded})
