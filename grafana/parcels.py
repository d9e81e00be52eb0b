"""What becomes of parcels: the dashboards line, reading and weighing."""

from grafana.panels import Board, Look, Panel, Query, hourly, quantiles, share

READING_REASONS = "no_read|multi_read|code_changed|foreign_label|position_unknown"
WEIGHING_REASONS = "weight_invalid|weight_mismatch|overweight|two_on_one"

LINE = Board(
    name="line",
    en="Line",
    zh="产线",
    panels=(
        Panel(
            en="Inducted per hour",
            zh="每小时上件",
            look=Look.FIGURE,
            queries=(Query("3600 * sum(rate(beltkeeper_parcels_inducted_total{LINE}[5m]))"),),
            width=4,
        ),
        Panel(
            en="On the belt",
            zh="皮带上",
            look=Look.FIGURE,
            queries=(Query("sum(beltkeeper_parcels_on_belt{LINE})"),),
            width=4,
        ),
        Panel(
            en="Shipped, of all exits in 15 min",
            zh="15 分钟内出货占比",
            look=Look.FIGURE,
            queries=(
                Query(
                    share(
                        'beltkeeper_parcels_exited_total{LINE, reason="ok"}',
                        "beltkeeper_parcels_exited_total{LINE}",
                        "15m",
                    )
                ),
            ),
            unit="percentunit",
            width=4,
            bad_below=0.85,
        ),
        Panel(
            en="Mis-sorted in an hour",
            zh="一小时内错分",
            look=Look.FIGURE,
            queries=(Query("sum(increase(beltkeeper_parcels_mis_sorted_total{LINE}[1h]))"),),
            width=4,
            bad_from=1,
        ),
        Panel(
            en="Missing in an hour",
            zh="一小时内缺失",
            look=Look.FIGURE,
            queries=(Query("sum(increase(beltkeeper_parcels_missing_total{LINE}[1h]))"),),
            width=4,
            bad_from=1,
        ),
        Panel(
            en="Standing alarms",
            zh="未消除的报警",
            look=Look.FIGURE,
            queries=(Query("sum(beltkeeper_alarms_standing{LINE})"),),
            width=4,
            bad_from=1,
        ),
        Panel(
            en="State of the line",
            zh="产线状态",
            look=Look.STATES,
            queries=(Query("beltkeeper_line_state{LINE}", "{{line}} {{state}}"),),
            width=12,
        ),
        Panel(
            en="Induction permitted",
            zh="允许上件",
            look=Look.STATES,
            queries=(Query("beltkeeper_induction_permitted{LINE}", "{{line}}"),),
            width=12,
            off="off",
            on="on",
        ),
        Panel(
            en="Exits per hour by chute",
            zh="各格口每小时出件",
            look=Look.STACK,
            queries=(hourly("beltkeeper_parcels_exited_total", "chute"),),
            width=12,
        ),
        Panel(
            en="Exits per hour that did not ship, by reason",
            zh="每小时未出货的出件，按原因",
            look=Look.STACK,
            queries=(hourly("beltkeeper_parcels_exited_total", "reason", 'reason!="ok"'),),
            width=12,
        ),
        Panel(
            en="Decisions per hour by reason",
            zh="每小时决定，按原因",
            look=Look.STACK,
            queries=(hourly("beltkeeper_decisions_total", "reason"),),
            width=12,
        ),
        Panel(
            en="Decided → told to the PLC",
            zh="决定 → 告知 PLC",
            look=Look.CURVES,
            queries=quantiles("beltkeeper_decide_to_told_seconds"),
            unit="s",
            width=12,
            bad_from=0.05,
        ),
    ),
)

READING = Board(
    name="reading",
    en="Reading",
    zh="读码",
    panels=(
        Panel(
            en="Read rate of 15 min",
            zh="15 分钟读码率",
            look=Look.FIGURE,
            queries=(
                Query(
                    share(
                        'beltkeeper_reads_total{LINE, quality="good"}', "beltkeeper_reads_total{LINE}", "15m"
                    )
                ),
            ),
            unit="percentunit",
            bad_below=0.97,
        ),
        Panel(
            en="Windows per hour by quality",
            zh="每小时读码窗口，按质量",
            look=Look.STACK,
            queries=(hourly("beltkeeper_reads_total", "quality"),),
            width=16,
        ),
        Panel(
            en="Rejected per hour for what was read",
            zh="每小时因读码被拒",
            look=Look.STACK,
            queries=(hourly("beltkeeper_decisions_total", "reason", f'reason=~"{READING_REASONS}"'),),
            width=12,
        ),
        Panel(
            en="Readers and other devices: link up",
            zh="读码器与其他设备：已连接",
            look=Look.STATES,
            queries=(Query("beltkeeper_device_up{LINE}", "{{line}} {{device}}"),),
            width=12,
            off="down",
            on="up",
        ),
        Panel(
            en="Frames per second, by camera",
            zh="每秒帧数，按相机",
            look=Look.CURVES,
            queries=(
                Query(
                    "sum by (line, reader) (rate(beltkeeper_camera_frames_total{LINE}[$__rate_interval]))",
                    "{{line}} {{reader}}",
                ),
            ),
            width=12,
        ),
        Panel(
            en="Frames per hour that nobody looked at, by camera",
            zh="每小时未被查看的帧，按相机",
            look=Look.CURVES,
            queries=(
                Query(
                    "3600 * sum by (line, reader) "
                    "(rate(beltkeeper_camera_frames_missed_total{LINE}[$__rate_interval]))",
                    "{{line}} {{reader}}",
                ),
            ),
            width=12,
        ),
    ),
)

WEIGHING = Board(
    name="weighing",
    en="Weighing",
    zh="称重",
    panels=(
        Panel(
            en="Good weights of 15 min",
            zh="15 分钟有效称重占比",
            look=Look.FIGURE,
            queries=(
                Query(
                    share(
                        'beltkeeper_weights_total{LINE, quality="good"}',
                        "beltkeeper_weights_total{LINE}",
                        "15m",
                    )
                ),
            ),
            unit="percentunit",
            bad_below=0.95,
        ),
        Panel(
            en="Captures per hour by quality",
            zh="每小时称重，按质量",
            look=Look.STACK,
            queries=(hourly("beltkeeper_weights_total", "quality"),),
            width=16,
        ),
        Panel(
            en="Rejected per hour for their weight",
            zh="每小时因重量被拒",
            look=Look.STACK,
            queries=(hourly("beltkeeper_decisions_total", "reason", f'reason=~"{WEIGHING_REASONS}"'),),
            width=24,
        ),
    ),
)
