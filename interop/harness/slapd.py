"""OpenLDAP's server with a folder of its own, on a free port of the loopback interface."""

import os
import subprocess

from .process import Child, Failed, free_port, until

SUFFIX = "dc=lyceum,dc=test"
PEOPLE = f"ou=people,{SUFFIX}"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "pw-of-the-directory"
SEARCHER, SEARCHER_PASSWORD = f"cn=searcher,{SUFFIX}", "pw-of-the-searcher"

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
sizelimit size.soft=20 size.hard=20 size.pr=10 size.prtotal=unlimited
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {folder}/database
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by * none
"""

BASE = f"""dn: {SUFFIX}
objectClass: organization
objectClass: dcObject
dc: lyceum
o: Lyceum

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {SEARCHER}
objectClass: person
cn: searcher
sn: searcher
userPassword: {SEARCHER_PASSWORD}
"""


def command(argv, text="", folder=None):
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=30, cwd=folder)
    if done.returncode != 0:
        raise Failed(f"{argv[0]}: {(done.stderr or done.stdout).strip()[:300]}")
    return done.stdout


class Slapd:
    """Started and stopped on the same ports; changed with OpenLDAP's own tools."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "slapd")
        os.makedirs(os.path.join(self.folder, "database"))
        self.port, self.tls_port = free_port(), free_port()
        self.url, self.tls_url = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.ca = os.path.join(self.folder, "ca.pem")
        self.certificate = [os.path.join(self.folder, name) for name in ("cert.pem", "key.pem")]
        self.config = os.path.join(self.folder, "slapd.conf")
        self.child = None
        self._certificates()
        with open(self.config, "w") as file:
            file.write(CONFIG.format(folder=self.folder, suffix=SUFFIX, admin=ADMIN, password=ADMIN_PASSWORD,
                                     searcher=SEARCHER))
        command(["slapadd", "-f", self.config], BASE)

    def _certificates(self):
        """An authority, and a certificate for 127.0.0.1."""
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        command([*new, "-subj", "/CN=Directory CA", "-keyout", "ca.key", "-out", "ca.pem"], folder=self.folder)
        command([*new, "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem", "-CA", "ca.pem",
                 "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                 "basicConstraints=critical,CA:FALSE"], folder=self.folder)

    def start(self):
        argv = ["slapd", "-d", "stats", "-f", self.config, "-h", f"{self.url} {self.tls_url}"]
        self.child = Child(argv, os.path.join(self.folder, "slapd.log"), cwd=self.folder)
        self.child.expect(r"slapd starting", 20, "that it starts")
        until(lambda: self._answers(), 10, "slapd answers")
        return self

    def _answers(self):
        argv = ["ldapwhoami", "-x", "-H", self.url, "-D", SEARCHER, "-w", SEARCHER_PASSWORD]
        return subprocess.run(argv, capture_output=True, timeout=10).returncode == 0

    def stop(self):
        self.child.end(10)

    def change(self, ldif):
        """Changes entries, as an administrator of the directory does."""
        argv = ["ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        command(argv, ldif)

    def add(self, uid, name, **more):
        """A new person; the password is `pw-` and the name to sign in with."""
        lines = [f"dn: uid={uid},{PEOPLE}", "changetype: add", "objectClass: inetOrgPerson", f"uid: {uid}", f"cn: {name}",
                 f"sn: {name.split()[-1]}", f"userPassword: pw-{uid}", *(f"{key}: {value}" for key, value in more.items())]
        self.change("\n".join(lines) + "\n")

    def replace(self, uid, attribute, value):
        self.change(f"dn: uid={uid},{PEOPLE}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")

    def remove(self, uid):
        self.change(f"dn: uid={uid},{PEOPLE}\nchangetype: delete\n")
