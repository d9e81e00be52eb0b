"""Where the gateway relays the record to: an MQTT broker, webhooks. Nothing is relayed by default."""

from typing import Annotated

from pydantic import Field

from line_config.fields import FilePath, Host, Id, Port, Strict, Text, Url


class MqttSettings(Strict):
    """A broker, MQTT 3.1.1."""

    host: Host
    port: Port = 1_883
    username: Text | None = None
    password_file: FilePath | None = None
    """The password alone, readable by the gateway's user only."""
    ca_file: FilePath | None = None
    """TLS, with this certificate authority; without it the connection is in clear."""


class WebhookSettings(Strict):
    """An endpoint of somebody's, signed after Standard Webhooks."""

    id: Id
    url: Url
    secret_file: FilePath
    """``whsec_`` and base64, alone in a file that is readable by the gateway's user only."""
    kinds: Annotated[tuple[Text, ...], Field(min_length=1, max_length=64)]
    """Facts to be told, such as Exited or CancelAnswered."""


class Relay(Strict):
    mqtt: MqttSettings | None = None
    webhooks: Annotated[tuple[WebhookSettings, ...], Field(max_length=8)] = ()
