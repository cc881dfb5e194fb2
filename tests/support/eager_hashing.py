"""The product's hashing child at the priority of others, so that no test waits for another."""

from monigo.infra.crypto import hashing_process

hashing_process.give_way = lambda: None

if __name__ == "__main__":
    hashing_process.main()
