"""Where the simulated ERP's orders come from: a CSV of real ones, or a distribution fitted to such."""

from simulators.orders.retail_csv import OrdersFileError, RetailFile, read_orders
from simulators.orders.source import CsvOrders, DrawnOrders, OrderSource, PlannedOrder

__all__ = [
    "CsvOrders",
    "DrawnOrders",
    "OrderSource",
    "OrdersFileError",
    "PlannedOrder",
    "RetailFile",
    "read_orders",
]
