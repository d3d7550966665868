"""What the web client asks over HTTPS, by hand: signed in as one person."""

import http.client
import json
import ssl
import urllib.parse
import uuid

from .process import Failed


class Page:
    """One person's session. `ask` returns status and body, as JSON where it is some."""

    def __init__(self, server, user):
        account = server.account(user)
        self.address = f"{user}@{account.domain}"
        self.server, self.token = server, None
        body = {"address": self.address, "password": account.password, "device": str(uuid.uuid4()), "device_name": "judge"}
        status, session = self.ask("POST", "/session", body)
        if status != 201:
            raise Failed(f"{self.address} signs in: {status} {session}")
        self.token = session["token"]

    def ask(self, method, path, body=None, kind="application/json", more=None):
        context = ssl.create_default_context(cafile=self.server.ca)
        host, port = self.server.address("https")
        link = http.client.HTTPSConnection(host, port, timeout=30, context=context)
        headers = {"Accept": "application/json", **(more or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = body
        if body is not None:
            headers["Content-Type"] = kind
            data = json.dumps(body).encode() if kind == "application/json" else body
        link.request(method, "/api/v1/client" + path, data, headers)
        answer = link.getresponse()
        content = answer.read()
        link.close()
        if "json" in (answer.getheader("Content-Type") or ""):
            return answer.status, json.loads(content)
        return answer.status, content

    def send_file(self, to, name, content):
        query = urllib.parse.urlencode({"to": to, "name": name})
        return self.ask("POST", f"/files?{query}", content, "application/octet-stream")

    def files(self):
        return {item["name"]: item for item in self.ask("GET", "/files")[1]["items"]}
