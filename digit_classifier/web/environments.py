"""Flask's configuration in each environment; ``DIGIT_CLASSIFIER_ENVIRONMENT`` chooses one."""

CONFIGURATIONS: dict[str, dict[str, object]] = {
    "production": {},
    # tracebacks in the browser can run code: for one's own machine only
    "development": {
        "DEBUG": 1,
        "SEND_FILE_MAX_AGE_DEFAULT": None,
        "TEMPLATES_AUTO_RELOAD": True,
    },
    "testing": {"TESTING": True, "WTF_CSRF_ENABLED": False},
}
