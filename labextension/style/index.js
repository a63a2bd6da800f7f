import './runview.css';
