from speeddata.registry.problems import ApiProblem, wrong_value


def test_a_problem_is_a_status_and_an_object() -> None:
    problem = ApiProblem(409, "Port already in use", port=1, used_by="x")
    assert (problem.status, problem.body) == (
        409,
        {
            "error": "Port already in use",
            "field": None,
            "details": "Port already in use",
            "port": 1,
            "used_by": "x",
        },
    )


def test_a_wrong_value_names_field_value_and_wanted() -> None:
    assert wrong_value("Bad", "port", [1], "an integer").body == {
        "error": "Bad",
        "field": "port",
        "value": "[1]",
        "wanted": "an integer",
        "details": "port is '[1]', wanted an integer",
    }


def test_a_long_value_is_shortened() -> None:
    assert len(wrong_value("Bad", "name", "x" * 5000, "less").body["value"]) == 200
