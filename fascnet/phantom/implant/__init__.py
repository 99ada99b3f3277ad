"""Twitch implantation: real recordings and stills moved by known twitches."""
