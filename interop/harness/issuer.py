"""A small OpenID Connect issuer on a free port of the loopback interface, over TLS. It signs everybody in as whom a case
says, checks what a client must send, and can be told to do wrong. Signatures are made by openssl."""

import base64
import hashlib
import http.server
import json
import os
import secrets
import ssl
import subprocess
import threading
import time
import urllib.parse

from .process import free_port

CLIENT, SECRET = "lyceum", "client secret: 100% & more"


def token_text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key pair of openssl's making."""

    def __init__(self, folder, kid, alg):
        self.kid, self.alg, self.path = kid, alg, os.path.join(folder, f"{kid}.pem")
        kind = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if alg == "RS256" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", "-algorithm", *kind, "-out", self.path], check=True, capture_output=True)

    def public(self):
        words = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg == "RS256":
            told = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True)
            modulus = bytes.fromhex(told.stdout.decode().strip().split("=")[1])
            return {**words, "kty": "RSA", "n": token_text(modulus), "e": "AQAB"}
        told = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"], check=True, capture_output=True)
        point = told.stdout[-64:]
        return {**words, "kty": "EC", "crv": "P-256", "x": token_text(point[:32]), "y": token_text(point[32:])}

    def sign(self, data):
        argv = ["openssl", "dgst", "-sha256", "-sign", self.path]
        signature = subprocess.run(argv, input=data, check=True, capture_output=True).stdout
        if self.alg == "RS256":
            return signature
        # A sequence of two numbers becomes the two numbers in 32 bytes each.
        out, at = b"", 2
        for _ in range(2):
            size = signature[at + 1]
            out += signature[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + size
        return out


class Issuer:
    """What it says is in `claims`; what a case spoils, it spoils by `change(header, claims)`."""

    def __init__(self, folder, certificate, private_key):
        self.folder, self.port = folder, free_port()
        self.url = f"https://127.0.0.1:{self.port}/realms/staff"
        self.keys = [Key(folder, "rsa-1", "RS256")]
        self.claims, self.change, self.codes, self.faults = {}, None, {}, []
        self.asked = {"discovery": 0, "keys": 0}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, private_key)
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                issuer.get(self)

            def do_POST(self):
                issuer.post(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, status, body, **headers):
        data = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def get(self, handler):
        path, _, query = handler.path.partition("?")
        if path == "/realms/staff/.well-known/openid-configuration":
            self.asked["discovery"] += 1
            self.answer(handler, 200, {
                "issuer": self.url, "authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys", "code_challenge_methods_supported": ["plain", "S256"]})
        elif path == "/realms/staff/keys":
            self.asked["keys"] += 1
            self.answer(handler, 200, {"keys": [key.public() for key in self.keys]})
        elif path == "/realms/staff/auth":
            ask = dict(urllib.parse.parse_qsl(query))
            self.expect(ask.get("response_type") == "code", "response_type")
            self.expect(ask.get("client_id") == CLIENT, "client_id")
            self.expect("openid" in ask.get("scope", "").split(), "scope")
            self.expect(ask.get("code_challenge_method") == "S256", "code_challenge_method")
            self.expect(len(ask.get("state", "")) >= 32 and len(ask.get("nonce", "")) >= 32, "state and nonce")
            code = secrets.token_urlsafe(16)
            self.codes[code] = ask
            back = urllib.parse.urlencode({"code": code, "state": ask["state"]})
            self.answer(handler, 302, {}, Location=f"{ask['redirect_uri']}?{back}")
        else:
            self.answer(handler, 404, {})

    def post(self, handler):
        fields = dict(urllib.parse.parse_qsl(handler.rfile.read(int(handler.headers["Content-Length"])).decode()))
        given = base64.b64decode(handler.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        pair = ":".join(urllib.parse.quote(part, safe="") for part in (CLIENT, SECRET))
        ask = self.codes.pop(fields.get("code"), None)
        challenge = token_text(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
        good = (ask is not None and given == pair and fields.get("grant_type") == "authorization_code"
                and challenge == ask["code_challenge"] and fields.get("redirect_uri") == ask["redirect_uri"])
        if not good:
            self.answer(handler, 400, {"error": "invalid_grant", "error_description": "not as it was asked for"})
            return
        self.answer(handler, 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.token(ask["nonce"])})

    def expect(self, holds, what):
        if not holds:
            self.faults.append(what)

    def token(self, nonce):
        key, now = self.keys[-1], int(time.time())
        header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
        claims = {"iss": self.url, "aud": CLIENT, "sub": "f:1", "nonce": nonce, "iat": now, "exp": now + 300, **self.claims}
        if self.change:
            self.change(header, claims)
        signed = ".".join(token_text(json.dumps(part).encode()) for part in (header, claims))
        signature = b"" if header["alg"] == "none" else key.sign(signed.encode())
        return f"{signed}.{token_text(signature)}"
