"""Networks. A file a network, each with a class ``Net(width, *, image, classes, **options)``; the module's name is the network's."""
