"""What the dashboard reads from /proc, on literal text."""

from machine import Machine, cpu_times, memory, network_bytes, rates, share


def test_cores_and_their_sum_are_read():
    stat = "cpu  30 0 10 50 10 0 0 0 0 0\ncpu0 20 0 5 20 5 0 0 0 0 0\ncpu1 10 0 5 30 5 0 0 0 0 0\nintr 1 2\n"
    assert cpu_times(stat) == {"cpu": (40, 100), "cpu0": (25, 50), "cpu1": (15, 50)}


def test_busy_is_a_share_of_what_passed():
    assert share((40, 100), (65, 200)) == 25.0
    assert share((40, 100), (40, 100)) == 0.0


def test_memory_that_could_be_freed_is_not_used():
    text = "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     600 kB\nHugePages_Total:       0\n"
    assert memory(text) == {"used": 400 * 1024, "total": 1000 * 1024}


def test_all_interfaces_count():
    head = "Inter-| Receive | Transmit\n face |bytes packets |bytes packets\n"
    rows = "    lo:  7 1 0 0 0 0 0 0  7 1 0 0 0 0 0 0\n  eth0:100 2 0 0 0 0 0 0 40 3 0 0 0 0 0 0\n"
    assert network_bytes(head + rows) == (107, 47)


def test_rates_are_per_second():
    assert rates(("in", "out"), (100, 0), (300, 50), 0.5) == {"in": 400, "out": 100}


def test_this_machine_has_figures():
    figures = Machine().figures()
    assert 0 < figures["memory"]["used"] <= figures["memory"]["total"]
    assert 0 <= figures["cpu"] <= 100
    assert all(0 <= core <= 100 for core in figures["cores"]) and figures["cores"]
