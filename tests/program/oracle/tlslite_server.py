"""A tlslite-ng server for versions and suites that nobody else speaks: PORT KEY CERTIFICATE LOWEST HIGHEST CIPHERS."""

import socket
import sys
import threading

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

port, key_file, certificate_file, lowest, highest, ciphers = sys.argv[1:7]
key = parsePEMKey(open(key_file).read(), private=True)
chain = X509CertChain()
chain.parsePemList(open(certificate_file).read())
settings = HandshakeSettings()
settings.minVersion = (3, int(lowest))
settings.maxVersion = (3, int(highest))
settings.cipherNames = ciphers.split(",")
settings.macNames = ["md5", "sha", "sha256", "sha384", "aead"]
settings.keyExchangeNames = ["rsa", "dhe_rsa", "ecdhe_rsa"]
settings.minKeySize = 1023


def serve(stream):
    try:
        stream.settimeout(10)
        connection = TLSConnection(stream)
        connection.handshakeServer(certChain=chain, privateKey=key, settings=settings)
        connection.close()
    except Exception:
        pass
    finally:
        stream.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(port)))
listener.listen(64)
while True:
    stream, _ = listener.accept()
    threading.Thread(target=serve, args=(stream,), daemon=True).start()
