"""A D-Bus client on jeepney: takes the SOTA client's name, is called through the admin interface, and reads what it is sent."""

import json
import socket
import sys
import urllib.request

from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_call, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, prep_socket

NAME, OBJECT = "org.genivi.SotaClient", "/org/genivi/SotaClient"


def connect(address):
    transport, pairs = address.split(":", 1)
    pairs = dict(pair.split("=") for pair in pairs.split(","))
    if transport == "unix":
        peer = prep_socket(pairs["path"])
    else:
        peer = socket.create_connection((pairs["host"], int(pairs["port"])))
        peer.sendall(b"\0AUTH EXTERNAL " + b"0".hex().encode() + b"\r\n")
        assert peer.recv(100).startswith(b"OK "), "EXTERNAL is refused"
        peer.sendall(b"BEGIN\r\n")
    return DBusConnection(peer)


def act(admin, action, arguments):
    request = urllib.request.Request(f"{admin}/admin/sota/act/{action}", json.dumps(arguments).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def called(connection):
    while True:
        message = connection.receive(timeout=10)
        if message.header.message_type == MessageType.method_call:
            return message


def main():
    bus, admin = sys.argv[1:]
    connection = connect(bus)
    proxy = Proxy(message_bus, connection)
    assert proxy.RequestName(NAME) == (1,), "the name is taken"
    assert proxy.GetNameOwner(NAME) == (connection.unique_name,)

    act(admin, "initiate_download", {"id": "u-1"})
    message = called(connection)
    fields = message.header.fields
    assert (fields[HeaderFields.member], fields[HeaderFields.path], message.body) == ("initiateDownload", OBJECT, ("u-1",))
    connection.send(new_method_return(message))

    for code in range(20):
        act(admin, "update_report", {"id": "u-1", "result_code": code, "result_text": "größer"})
        message = called(connection)
        assert message.header.fields[HeaderFields.signature] == "saa{sv}"
        result = {"id": ("s", "u-1"), "result_code": ("i", code), "result_text": ("s", "größer")}
        assert message.body == ("u-1", [result]), message.body
        connection.send(new_error(message, "Error.MalformedArgument", "s", ("no",)))

    act(admin, "update_report", {"id": "u-1", "results": [{"id": "x"}, {}]})
    assert called(connection).body == ("u-1", [{"id": ("s", "x")}, {}])
    act(admin, "bus_call", {"method": "updateReport", "signature": "(ub)d", "arguments": [[7, True], 0.5]})
    assert called(connection).body == ((7, True), 0.5)

    manager = DBusAddress("/org/genivi/SoftwareLoadingManager", "org.genivi.SoftwareLoadingManager", "org.genivi.SoftwareLoadingManager")
    large = new_method_call(manager, "downloadComplete", "ss", ("/tmp/" + "x" * 100_000, ""))
    answer = connection.send_and_get_reply(large, timeout=10)
    assert answer.header.message_type == MessageType.method_return
    print("   jeepney was called and read", 23, "calls")


main()
