// Sends the answer of an authorization request to the app (OAuth 2.0 Form Post Response Mode).
"use strict";

document.getElementById("answer").submit();
