"""Certificates for tests: a CA, another one that nobody trusts, and a server's from each."""

import subprocess


def openssl(*words, cwd):
    subprocess.run(["openssl", *map(str, words)], check=True, cwd=cwd,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(directory):
    """In `directory`: ca.pem and stranger.pem; server.pem and false.pem for 127.0.0.1 with the key
    server.key, the first signed by the CA and the other by the stranger."""
    directory.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for ca in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-days", "7", "-subj", f"/CN={ca}", "-keyout", f"{ca}.key",
                "-out", f"{ca}.pem", cwd=directory)
    openssl("req", *key, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr",
            cwd=directory)
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for ca, out in (("ca", "server"), ("stranger", "false")):
        openssl("x509", "-req", "-in", "server.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                "-days", "7", "-extfile", "names", "-out", f"{out}.pem", cwd=directory)
    (directory / "server.key").chmod(0o600)
    return directory
