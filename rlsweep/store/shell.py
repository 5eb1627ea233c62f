"""Start `psql` on rlsweep's database."""

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rlsweep.store.database import Database
from rlsweep.store.embedded import program


def psql_command(database: Database) -> tuple[list[str], dict[str, str]]:
    """The command line of the wheel's `psql`, and additional environment variables.

    The password is in PGPASSWORD, because every user of the machine can read a command line.
    """
    parts = conninfo_to_dict(database.url)
    password = parts.pop("password", None)
    return [str(program("psql")), make_conninfo("", **parts)], {"PGPASSWORD": str(password)} if password else {}
