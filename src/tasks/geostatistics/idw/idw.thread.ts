import { help } from '../sharing/helper-thread.js';
import { IdwEstimator, type IdwWork } from './idw-estimator.js';

help((work: IdwWork) => new IdwEstimator(work));
