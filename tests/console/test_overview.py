def test_a_viewer_sees_the_page(viewer, csrf):
    assert viewer.get("/admin/").status_code == 200
    assert csrf(viewer)

def test_reg(register):
    assert register()["client_id"]
