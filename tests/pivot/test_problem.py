from speeddata.pivot.problem import Problem


def test_body_has_the_error_and_details():
    problem = Problem(404, "Channel not found", name="x")
    assert (problem.status, problem.body, problem.headers) == (
        404,
        {"error": "Channel not found", "name": "x"},
        None,
    )
    assert str(problem) == "Channel not found"
