import { runDemo } from './demo.run.js';
import { runTarget } from './target.service.js';

const [command, file] = process.argv.slice(2);
if (command === 'target' && file) runTarget(file);
else process.exitCode = await runDemo(process.argv.slice(2));
