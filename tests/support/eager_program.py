"""The program as `monigo` starts it, whose hashing child works at the priority of others."""

from pathlib import Path

from monigo.cli import main
from monigo.infra.crypto import hashing_child

hashing_child.PROGRAM = Path(__file__).parent / "eager_hashing.py"

if __name__ == "__main__":
    main()
