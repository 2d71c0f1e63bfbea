"""Runs a program in a network of its own, in which the hosts that it calls are this machine.

    unshare --mount --net [--map-root-user] python3 isolate.py "ADDRESS NAME..."... -- PROGRAM ARGS...

So what is measured runs exactly as deployed, with the real names of its hosts, and can reach nothing else.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile

# From Linux' net/if.h and sockios.h.
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def loopback_up():
    """A new network has a loopback interface, but it is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        request = struct.pack("16sh22x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(some, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(some, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def name(lines):
    """Puts names of hosts in place of /etc/hosts, for this program and what it starts only."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".hosts") as hosts:
        os.chmod(hosts.name, 0o644)
        hosts.write("127.0.0.1 localhost\n" + "".join(line + "\n" for line in lines))
        hosts.flush()
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


def main():
    end = sys.argv.index("--")
    loopback_up()
    name(sys.argv[1:end])
    program = sys.argv[end + 1 :]
    os.execv(program[0], program)


main()
