import text from '../lib/style.raw.css';

const style = document.createElement('style');
style.textContent = text;
document.head.append(style);
