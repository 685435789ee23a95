"""The measured one."""

import os

from .stage import AUDIENCE, ISSUER, free_port


def portcullis(stage, binary, log):
    """Two rules, one of them public, so that plain proxying is measured in the same process."""
    port = free_port()
    rules = stage.write("rules.toml", """
        [[rule]]
        path = "/public/{*rest}"
        public = true

        [[rule]]
        path = "/orders/{id}"
        scopes = ["orders.read"]
        """)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTCULLIS")}
    environment |= {
        "PORTCULLIS_ISSUER": ISSUER,
        "PORTCULLIS_AUDIENCE": AUDIENCE,
        "PORTCULLIS_JWKS_FILE": str(stage.jwks),
        "PORTCULLIS_UPSTREAM": f"http://127.0.0.1:{stage.upstream_port}",
        "PORTCULLIS_LISTEN": f"127.0.0.1:{port}",
        "PORTCULLIS_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
        "PORTCULLIS_RULES": str(rules),
    }
    if not log:
        environment["PORTCULLIS_LOG"] = "portcullis::access=off,warn"
    return stage.proxy("portcullis", [binary, "serve"], port, environment)
