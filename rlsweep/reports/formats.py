"""The file formats of an export, in a module of its own: naming one need not import Arrow."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """What the files are; the value is their extension."""

    CSV = "csv"
    PARQUET = "parquet"
