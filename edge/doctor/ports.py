"""Ports that this machine listens on: free, or held by the process that they are for."""

import errno
import os
import socket
from collections.abc import Iterator

from edge.doctor.findings import Finding, Words, failed, good
from edge.doctor.machine import Machine
from line_config.model import TcpServerSettings


def ports(machine: Machine) -> Iterator[Finding]:
    if machine.line is None:
        yield good("", "no line was given", "未指定产线")
        return
    api = machine.line.api
    yield _port("api", api.host, api.port, machine.gateway_runs)
    for device, connection in machine.connections():
        if isinstance(connection, TcpServerSettings):
            yield _port(device, connection.host, connection.port, machine.devices_up is not None)


def _port(subject: str, host: str, port: int, is_running: bool) -> Finding:
    """``is_running``: the process that listens there runs now."""
    where = f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        with socket.create_server((str(address[0]), int(address[1])), family=family):
            return good(subject, f"{where} is free", f"{where} 可用")
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_running:
            return good(subject, f"{where}: our process listens", f"{where}：本程序正在监听")
        # Without a number it is the name that could not be resolved; the message tells.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        who = Words(
            f"ss -ltnp 'sport = :{port}' says who has it; or give another port or address in the line's file",
            f"用 ss -ltnp 'sport = :{port}' 查看占用者；或在产线文件中改用其他端口或地址",
        )
        return failed(subject, f"{where}: {why}", f"{where}：{why}", fix=who)
