from speed import app, convert


def test_ten_knots():
    assert convert(10) == {"knots": 10, "km_h": 18.52, "m_s": 5.14}


def test_words_are_refused():
    assert app.test_client().get("/speed?knots=fast").status_code == 400
