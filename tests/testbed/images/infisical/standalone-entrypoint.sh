#!/bin/sh
exec /usr/local/bin/python -m stub
