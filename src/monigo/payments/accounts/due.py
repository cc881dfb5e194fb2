"""Kinds of due work of virtual accounts on the agenda; both are of an account, in real time."""

from monigo.infra.agenda import Follows, Kind

# What the provider did is asked about, or an account closed.
ACCOUNT_ASK = Kind("virtual_account_ask", Follows.REAL)
# What came into it is listed, so that no webhook that was lost loses money.
DEPOSIT_LIST = Kind("deposit_list", Follows.REAL)
