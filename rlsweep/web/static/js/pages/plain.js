// A page without data: only the header's buttons.

import { startTheme } from "../core/theme.js";
import { startKeyboard } from "../core/keyboard.js";

startTheme();
startKeyboard();
