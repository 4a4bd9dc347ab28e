/** Words of the dialogs before the window goes. */
export const leave = {
  "leave.close.title": "Keep mining in the background?",
  "leave.close.tray":
    "The window closes and mining goes on. The icon in the tray brings the window back.",
  "leave.close.remember": "Do this every time",
  "leave.close.keep": "Keep running",
  "leave.close.minimise": "Minimise",
  "leave.quit.title": "Quit P2Pool Desktop?",
  "leave.quit.miners":
    "{count, plural, one {# miner} other {# miners}} will switch to the backup pool, or stop.",
  "leave.quit.shares": "Your shares stay valid until they leave the window.",
  "leave.quit.yes": "Quit",
  "leave.quit.no": "Keep mining",
} as const;
