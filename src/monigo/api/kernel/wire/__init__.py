"""How values look on the wire: fields, lists, pages, CSV."""
