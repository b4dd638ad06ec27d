"""The broker's sockets: connections, sessions, links, and the nodes that clients attach to."""
