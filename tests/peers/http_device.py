# SPDX-License-Identifier: Apache-2.0
"""A device behind Python's http.server: `http_device.py PORT`.

/state    JSON with two values and a time; what was written to /state/speed stays.
/plain    a number as text
/broken   500
/private  200 only with `Authorization: Basic edge:secret` or `Bearer token`
/slow     answers after a minute
/garbage  a JSON text cut in the middle
"""

import base64
import http.server
import json
import sys
import time

STATE = {"temp": 21.5, "speed": 10, "time": "2026-01-02T03:04:05Z"}
GRANTED = {"Basic " + base64.b64encode(b"edge:secret").decode(), "Bearer token"}


class Device(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=""):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/api/state":
            self.answer(200, json.dumps(STATE))
        elif path == "/plain":
            self.answer(200, " 17.25\n")
        elif path == "/garbage":
            self.answer(200, '{"a": [1, 2')
        elif path == "/private":
            granted = self.headers.get("Authorization") in GRANTED
            self.answer(200 if granted else 401, "1" if granted else "no")
        elif path == "/slow":
            time.sleep(60)
        else:
            self.answer(500 if path == "/broken" else 404, "no")

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/api/state/speed":
            self.answer(404, "no")
            return
        STATE["speed"] = json.loads(body)["value"]
        self.answer(204)

    do_POST = do_PUT

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Device).serve_forever()
