"""Starts the warm engine host: `python3 -I host.py CONFIG_JSON` with the control socket as fd 3.

docs/engine-protocol.md describes both sockets.
"""

import json
import os
import socket
import sys

CONTROL_FD = 3


def main() -> int:
    config = json.loads(sys.argv[1])
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    config['remux'] = config.get('remux') or beside('trawl-remux')
    if config['ytdlp_path']:
        sys.path.insert(0, config['ytdlp_path'])
    control = socket.socket(fileno=CONTROL_FD)
    control.set_inheritable(False)

    from trawl_engine import forkserver, sandbox, warm
    jail = None
    try:
        warmed = warm.warm_up(config)
        if config['sandbox']:
            jail = sandbox.Sandbox(config['sandbox'], beside('trawl-confinement.so'), sandbox.readable_paths(config))
            if not jail.usable():
                raise warm.Unusable(jail.why_not())
    except Exception as error:
        message = f'{type(error).__name__}: {error}' if not isinstance(error, warm.Unusable) else str(error)
        control.send(json.dumps({'event': 'unusable', 'message': message}).encode())
        return 1
    return forkserver.serve(control, warmed, jail)


def beside(name: str) -> str:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    return path if os.access(path, os.X_OK) else ''


if __name__ == '__main__':
    sys.exit(main())
