"""The message broker that the line's file names: reached, and it lets us in. Nothing is published."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiomqtt

from edge.doctor.findings import Finding, Words, failed, good
from edge.doctor.machine import Machine
from line_config.relay import MqttSettings

CONNECT_S = 3.0


def broker(machine: Machine) -> Iterator[Finding]:
    settings = None if machine.line is None else machine.line.relay.mqtt
    if settings is None:
        yield good("", "none is named: nothing is relayed over MQTT", "未配置：不经 MQTT 转发")
        return
    where = f"{settings.host}:{settings.port}"
    try:
        asyncio.run(_greeted(settings, *_secrets(settings)))
    except OSError as error:
        secrets = Words(
            "run it as root or as the gateway's user; do the files of relay.mqtt exist?",
            "请以 root 或网关用户运行；relay.mqtt 中的文件是否存在？",
        )
        yield failed(where, str(error), str(error), fix=secrets)
    except aiomqtt.MqttError as error:
        fix = Words(
            "does the broker run and listen there? do user, password_file and ca_file of relay.mqtt suit it?",
            "消息代理是否在该处运行监听？relay.mqtt 的用户、password_file、ca_file 是否正确？",
        )
        yield failed(where, str(error), str(error), fix=fix)
    else:
        yield good(where, "lets us in", "可以登录")


def _secrets(settings: MqttSettings) -> tuple[str | None, ssl.SSLContext | None]:
    """Password and trust. Raises ``OSError`` for a file that cannot be read."""
    password = None if settings.password_file is None else Path(settings.password_file).read_text().strip()
    return password, None if settings.ca_file is None else ssl.create_default_context(cafile=settings.ca_file)


async def _greeted(settings: MqttSettings, password: str | None, tls: ssl.SSLContext | None) -> None:
    """Connect as the relay does, but by another name: two of one name push each other out. Raises
    ``MqttError``."""
    async with aiomqtt.Client(
        settings.host,
        settings.port,
        username=settings.username,
        password=password,
        identifier=f"beltkeeper-doctor-{os.getpid()}",
        timeout=CONNECT_S,
        tls_context=tls,
    ):
        pass
