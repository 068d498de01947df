"""Prints each version and suite (as a number) that tlslite-ng can agree on with 127.0.0.1:PORT."""

import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection
from tlslite.constants import CipherSuite

CIPHERS = ["rc4", "3des", "aes128", "aes256", "null", "aes128gcm", "aes256gcm", "chacha20-poly1305",
           "aes128ccm", "aes256ccm", "aes128ccm_8", "aes256ccm_8"]
MACS = ["md5", "sha", "sha256", "sha384", "aead"]
EXCHANGES = ["rsa", "dhe_rsa", "ecdhe_rsa", "ecdhe_ecdsa"]
VERSIONS = [("SSLv3", (3, 0)), ("TLSv1.0", (3, 1)), ("TLSv1.1", (3, 2)), ("TLSv1.2", (3, 3))]

port = int(sys.argv[1])
for name, version in VERSIONS:
    for cipher in CIPHERS:
        for mac in MACS:
            for exchange in EXCHANGES:
                settings = HandshakeSettings()
                settings.minVersion = settings.maxVersion = version
                settings.cipherNames = [cipher]
                settings.macNames = [mac]
                settings.keyExchangeNames = [exchange]
                settings.minKeySize = 1023
                try:
                    with socket.create_connection(("127.0.0.1", port), 5) as stream:
                        stream.settimeout(5)
                        connection = TLSConnection(stream)
                        connection.handshakeClientCert(settings=settings)
                        print(name, connection.session.cipherSuite, flush=True)
                        connection.close()
                except Exception:
                    pass
