// SPDX-License-Identifier: Apache-2.0
// Before the first paint, so that a chosen theme never flashes; a file of its own because the
// policy refuses inline scripts.
(function () {
  try {
    var theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (_) {
    /* storage refused: the system's theme applies */
  }
})();
