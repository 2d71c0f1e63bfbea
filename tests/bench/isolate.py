"""Runs a program in its own network namespace, in which the hosts that the program calls resolve to this machine.

    unshare --mount --net [--map-root-user] python3 isolate.py "ADDRESS NAME..."... -- PROGRAM ARGS...

The program uses the real host names, as it does when it is deployed, and can reach no other machine.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile

# Constants of net/if.h and sockios.h of Linux.
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def loopback_up():
    """Starts the loopback interface, which is down in a new namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def set_hosts(lines):
    """Replaces /etc/hosts for this process and its children."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".hosts") as hosts:
        os.chmod(hosts.name, 0o644)
        hosts.write("127.0.0.1 localhost\n" + "".join(line + "\n" for line in lines))
        hosts.flush()
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


def main():
    end = sys.argv.index("--")
    loopback_up()
    set_hosts(sys.argv[1:end])
    program = sys.argv[end + 1 :]
    os.execv(program[0], program)


main()
