// A page that needs no data: the header's buttons alone.

import { startTheme } from "../core/theme.js";
import { startKeyboard } from "../core/keyboard.js";

startTheme();
startKeyboard();
