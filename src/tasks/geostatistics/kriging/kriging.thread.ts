import { help } from '../sharing/helper-thread.js';
import { KrigingEstimator, type KrigingWork } from './kriging-estimator.js';

help((work: KrigingWork) => new KrigingEstimator(work));
