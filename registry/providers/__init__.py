"""Speak to endpoints over HTTP: four APIs, one request, one stream of events."""
