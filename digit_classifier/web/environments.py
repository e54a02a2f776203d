"""Flask's configuration in each environment; ``DIGIT_CLASSIFIER_ENVIRONMENT`` chooses one."""

CONFIGURATIONS: dict[str, dict[str, object]] = {
    "production": {},
    # the debugger runs code for anyone who reaches it, so only on the developer's own machine
    "development": {
        "DEBUG": True,
        "SEND_FILE_MAX_AGE_DEFAULT": None,
        "TEMPLATES_AUTO_RELOAD": True,
    },
    "testing": {"TESTING": True, "WTF_CSRF_ENABLED": False},
}
