// SPDX-License-Identifier: Apache-2.0
// The only door to uPlot: with its style sheet, on demand.
import 'uplot/dist/uPlot.min.css';
import UPlot from 'uplot';

export { UPlot };
