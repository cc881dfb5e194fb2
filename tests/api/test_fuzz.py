"""Whatever is sent, the answer is one that /openapi.json tells of, and never a server error."""

from support.fuzzing import findings, operations_of


def test_no_generated_request_is_answered_in_an_untold_way(api, backend):
    operations = operations_of(backend.url)

    found = [findings(api, operation, examples=5, number=1) for operation in operations]

    assert [text for texts in found for text in texts] == []
